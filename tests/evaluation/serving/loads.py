"""Loads of experts for tests: even ones."""

from traces.workload.even_routing import EvenRouting
from traces.workload.step_draws import StepRouting


def even(layers, experts, top_k):
    """Return the load in which every expert has the same number of tokens."""
    return StepRouting(EvenRouting(layers, experts, top_k)).draws()
