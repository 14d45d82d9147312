"""Faults: what breaks in a task executor, when, and for how long."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.faults.executor_dies import ExecutorDies

KINDS = ("die", "node", "link", "switch", "slow", "glitch")


@dataclass(frozen=True)
class Fault:
    """One failure; :func:`evaluation.serving.faults.checks.check` says whether it can happen.

    Parameters
    ----------
    at_s
        Simulated seconds.
    executor
        Name of the task executor.
    kind
        "die" and "node" are lost with all that is on them; "link" and "switch" are of the
        executor's fabric; "slow" is a straggling die; "glitch" disturbs the network for one step.
    index
        Which die ("die", "slow"), node, link or switch of the executor, from 0. A glitch is of
        the whole executor and has index 0.
    lasts_s
        Seconds until it is repaired; ``None`` for never.
    speed
        Of a slow die alone, relative to the others: 0 < speed < 1.
    detected
        Of a slow die alone: whether the executor finds out, so that a solver may give it less load;
        when is :meth:`evaluation.serving.faults.recovery.Recovery.straggler_detected_s`.
    name
        Of a link ("die0.0:l1.0.3") or switch ("l1.0.3") as its fabric calls it, instead of the
        index.
    plane
        Of a link or switch: the network that it is of, "rdma" say; empty for the one by which
        tokens reach experts.
    """

    at_s: float
    executor: str
    kind: str
    index: int = 0
    lasts_s: float | None = None
    speed: float = 1.0
    detected: bool = True
    name: str = ""
    plane: str = ""

    @property
    def ends_s(self) -> float:
        """When it is repaired; infinity for never."""
        return math.inf if self.lasts_s is None else self.at_s + self.lasts_s

    @property
    def label(self) -> str:
        """Say which fault this is, in messages."""
        return f"fault of {self.executor} at {self.at_s:g} s, {self.kind} {self.name or self.index}"


def active(faults: Iterable[Fault], executor: str, now_s: float) -> tuple[Fault, ...]:
    """Return the faults of one executor that hold now: at_s <= now < at_s + lasts_s."""
    return tuple(
        fault
        for fault in faults
        if fault.executor == executor and fault.at_s <= now_s < fault.ends_s
    )


def rank_speed(faults: Iterable[Fault], executor: ExecutorDies) -> NDArray[np.float64]:
    """Return the relative speed of every die under faults that hold now; several multiply.

    For what steps cost, give all of them; for what a solver is told (``lb.Problem.rank_speed``),
    those that are detected, at the entries of ``executor.ranks``.

    Returns
    -------
    ndarray
        [dies], 1 being nominal.
    """
    speed = np.ones(executor.dies)
    for fault in faults:
        if fault.kind == "slow" and fault.executor == executor.name:
            speed[fault.index] *= fault.speed
    return speed


def in_order(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return faults by time, those of one time in the order given."""
    return tuple(sorted(faults, key=lambda fault: fault.at_s))
