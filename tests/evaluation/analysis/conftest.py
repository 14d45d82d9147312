"""The toy trace in two: what a solver sees, and the window that judges it."""

import pytest

from tests.evaluation.analysis.made_window import made_window


@pytest.fixture(scope="session")
def seen(trace):
    """Tokens [layers, experts] of the first four steps."""
    return trace.counts[:4].sum(axis=0)


@pytest.fixture(scope="session")
def window(trace):
    """The fourteen steps after them."""
    return made_window(trace.counts[4:], trace.step_tokens[4:])
