"""Routing made by a law: generators with a seed, presets, and laws fitted to recordings."""

from traces.generators.compare import Row, compare
from traces.generators.fit import fit
from traces.generators.law import Law
from traces.generators.presets import PRESETS, preset
from traces.generators.route import route

__all__ = ["PRESETS", "Law", "Row", "compare", "fit", "preset", "route"]
