"""Generated routing: laws and their presets, traces drawn from a law, laws fitted to recordings.

Loads by phase, length and domain are in :mod:`traces.generators.loads`.
"""

from traces.generators.compare import Row, compare
from traces.generators.fit import fit
from traces.generators.generate import counts, tokens, trace
from traces.generators.law import Law
from traces.generators.law_file import load, save
from traces.generators.presets import PRESETS, preset
from traces.generators.route import route

__all__ = [
    "PRESETS",
    "Law",
    "Row",
    "compare",
    "counts",
    "fit",
    "load",
    "preset",
    "route",
    "save",
    "tokens",
    "trace",
]
