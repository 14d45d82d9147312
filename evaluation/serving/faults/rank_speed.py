"""Relative speeds of the dies of a task executor under faults."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS, FaultEffect


def rank_speed(faults: Iterable[Fault], executor: ExecutorDies) -> NDArray[np.float64]:
    """Return the relative speed of every die under faults; speeds on the same die multiply.

    Parameters
    ----------
    faults
        Faults that hold now: all of them for the cost of a step, only the detected ones for what
        a solver knows (``lb.Problem.rank_speed``, at the entries of ``executor.ranks``).
    executor
        Faults of other executors are ignored.

    Returns
    -------
    ndarray
        [dies], 1 being nominal.
    """
    speed = np.ones(executor.dies)
    for fault in faults:
        kind = KINDS[fault.kind]
        if kind.effect is FaultEffect.SLOWS_DIES and fault.executor == executor.name:
            speed[list(kind.dies(fault, executor))] *= fault.speed
    return speed
