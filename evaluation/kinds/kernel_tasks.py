"""What a suite compiles when it runs for the first time, cut into tasks for several processes.

Without them, processes that run a suite would meet the same kernels at the same time, and each
would compile all of them.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

import lb
from evaluation.kinds.task_spec import TaskSpec
from evaluation.replay.workload_windows import WindowCut, routing_kind, workload_windows

#: Seconds that the kernels of a solver take on one core (EPYC, numba 0.68), measured once each with
#: nothing compiled before; what is not listed has next to none. They order and announce the work.
SOLVER_SECONDS = {
    "local-search": 9.0,
    "affinity": 7.0,
    "hierarchical": 6.0,
    "incremental": 6.0,
    "robust": 5.0,
    "auto": 3.0,
    "ilp": 3.0,
    "xdeepserve": 3.0,
    "eplb": 2.0,
    "greedy": 1.0,
    "random": 1.0,
}
#: Solvers that start from local search: two processes would both compile it.
AFTER_LOCAL_SEARCH = {"affinity", "auto", "hierarchical", "incremental", "robust"}
#: Seconds, as above, for the traffic of a workload, and for bounds and dispatchers.
WORKLOAD_SECONDS = 8.0
REPLAY_SECONDS = 4.0


@dataclass(frozen=True)
class SolverKernels:
    """Kernels of a registered solver."""

    solver: str

    @property
    def name(self) -> str:
        """Name that is shown, and that the list of what is compiled holds."""
        return self.solver

    @property
    def seconds(self) -> float:
        """Estimated seconds on one core."""
        return SOLVER_SECONDS.get(self.solver, 0.5)

    def run(self) -> dict[str, Any]:
        """Compile, or load what is compiled."""
        with _left_to_tasks():
            for dispatcher, windows in (("even", 1), ("optimal", 2)):
                lb.warm_up(self.solver, dispatcher, windows=windows)
        return {}


@dataclass(frozen=True)
class WorkloadKernels:
    """Kernels that compose the steps of a workload."""

    workload: str
    routing: str

    seconds = WORKLOAD_SECONDS

    @property
    def name(self) -> str:
        """Name that is shown, and that the list of what is compiled holds."""
        return f"workloads by {self.routing}"

    def run(self) -> dict[str, Any]:
        """Compose a window of two steps."""
        with _left_to_tasks():
            workload_windows((self.workload,), 0, WindowCut(2, None, 1, 1), None)
        return {}


@dataclass(frozen=True)
class ReplayKernels:
    """Kernels that every replay needs: bounds, and the optimal split."""

    name = "bounds"
    seconds = REPLAY_SECONDS

    def run(self) -> dict[str, Any]:
        """Compute the bounds of a tiny load, and the moves between two placements."""
        lb.bounds.balancedness_bound([[4, 3, 2, 1]], num_ranks=2, slots_per_rank=3)
        lb.warm_up("contiguous", "optimal")
        placement = lb.Placement(np.array([[0, 1, 2, 3]]), num_ranks=2)
        placement.moves_from(placement)
        return {}


@contextmanager
def _left_to_tasks() -> Iterator[None]:
    """Leave an error to the task that meets it again, whose record says so.

    A solver may need training or a package, and a workload may be too short.
    """
    with suppress(Exception):
        yield


KernelTask = SolverKernels | WorkloadKernels | ReplayKernels


def kernel_tasks(tasks: Iterable[TaskSpec], compiled: Collection[str] = ()) -> list[KernelTask]:
    """Return what tasks compile: the longest first, what starts from local search at the end.

    Parameters
    ----------
    tasks
        Tasks of a suite of any kind. Those of schedulers compile little and are left out, and so
        are candidates from files.
    compiled
        Names of what is compiled already.
    """
    found: dict[str, KernelTask] = {}
    for task in tasks:
        for part in _parts(task):
            found.setdefault(part.name, part)
    left = [part for name, part in found.items() if name not in compiled]
    return sorted(left, key=lambda part: (part.name in AFTER_LOCAL_SEARCH, -part.seconds))


def _parts(task: TaskSpec) -> list[KernelTask]:
    """Return the kernels of a task."""
    parts: list[KernelTask] = []
    candidate, scenario = task.candidate, task.scenario
    if getattr(candidate, "registry", None) is lb.SOLVERS and candidate.path is None:
        parts += [ReplayKernels(), SolverKernels(candidate.spec)]
    for workload in getattr(scenario, "workload", ()):
        if routing := routing_kind(workload):
            parts.append(WorkloadKernels(workload, routing))
    return parts
