"""Fixtures of the tests of `podlab trace`."""

import numpy as np
import pytest

import traces
from tests.evaluation.cli.trace.calls import COUNTS


@pytest.fixture
def folder(tmp_path):
    """A folder with counts in a foreign file, and as a trace."""
    np.save(tmp_path / "counts.npy", COUNTS.astype(np.int32))
    traces.save(traces.RoutingTrace(COUNTS, "toy", 2, "decode"), tmp_path / "t.parquet")
    return tmp_path
