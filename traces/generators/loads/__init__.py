"""Laws of loads: how popular experts are by phase, lengths and domain, and how requests differ."""

from traces.generators.loads.condition import Condition
from traces.generators.loads.curve import Curve
from traces.generators.loads.distance import LoadDistance, distance
from traces.generators.loads.domains import with_domains
from traces.generators.loads.law import LoadLaw
from traces.generators.loads.law_file import is_load_law, load, save
from traces.generators.loads.modes import Modes, modes
from traces.generators.loads.presets import PRESETS, preset
from traces.generators.loads.routing_law import routing_law
from traces.generators.loads.sequences import sequence_correlation, sequence_counts

__all__ = [
    "PRESETS",
    "Condition",
    "Curve",
    "LoadDistance",
    "LoadLaw",
    "Modes",
    "distance",
    "is_load_law",
    "load",
    "modes",
    "preset",
    "routing_law",
    "save",
    "sequence_correlation",
    "sequence_counts",
    "with_domains",
]
