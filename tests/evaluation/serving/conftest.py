"""A small deployment: two prefill executors, and one decode executor of two nodes."""

import numpy as np
import pytest

from evaluation.serving.executor_dies import ExecutorDies
from hardware import Fabric
from lb import Placement


@pytest.fixture(scope="session")
def fabric():
    """Two nodes of CloudMatrix384."""
    return Fabric.preset("cloudmatrix384", 32)


@pytest.fixture
def decode(fabric):
    """32 colocated dies, as many DP groups, one expert a die and no replica but of expert 0."""
    table = np.array([[*range(31), 0]])
    return ExecutorDies("decode-0", "decode", 32, 16, 32, None, Placement(table, 32), fabric=fabric)


@pytest.fixture
def apart():
    """Eight dies of attention in four DP groups, and four dies with six experts, 0 and 1 twice."""
    placement = Placement([[0, 1, 2, 3, 4, 5, 0, 1]], 4)
    return ExecutorDies("decode-0", "decode", 12, 4, 4, 8, placement)


@pytest.fixture
def prefills():
    """Two prefill executors of sixteen dies, four DP groups each."""
    return [ExecutorDies(f"prefill-{number}", "prefill", 16, 16, 4) for number in range(2)]
