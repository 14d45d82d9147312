"""Routing made by a law: generators with a seed, presets, and laws fitted to recordings."""

from traces.generators.fit import fit
from traces.generators.law import Law
from traces.generators.route import route

__all__ = ["Law", "fit", "route"]
