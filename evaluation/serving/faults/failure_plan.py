"""The course of one fault: what it takes down, and when what comes back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FailurePlan:
    """The course of one fault. Times are simulated seconds; ``None`` for never.

    Parameters
    ----------
    executors
        Names of the task executors that stop: that of the fault first. Empty if the fault stops
        nothing.
    failed_s
        The executor of the fault hangs from now on: its dies wait for each other in every layer.
        They also wait for a path that is gone, until that is detected or repaired. Other executors
        stop at ``detected_s``.
    detected_s
        When the fault is detected. Links, switches and slow dies that are repaired sooner are never
        detected.
    resumed_s
        When the executors step again.
    path
        Which of :class:`evaluation.serving.faults.recovery.Recovery`'s seconds were taken; empty
        for none.
    restart
        The executors restart: all their DP groups have lost their keys and values.
    lost_groups
        DP groups of the fault's executor that have lost their keys and values.
    lost_dies
        Dies that it has lost, besides those lost before. After a restart they are there again: with
        spares, all dies that it was built with, else those it had before the fault. Without a
        restart, they and their DP groups stay away until ``returns_s``.
    kept_ranks
        Dies with experts that it goes on with, ascending; after a restart, it restarts with these.
    rolled_back
        All DP groups compute the step under way again; no cache is lost.
    returns_s
        When the device is repaired, but not before the executors step again.
    missing
        It goes on without some experts (:func:`evaluation.serving.faults.shrink.missing_experts`).
    killed
        Executor that gave its dies and stays down; empty for none.
    killed_resumes_s
        When that executor steps again.
    """

    executors: tuple[str, ...]
    failed_s: float
    detected_s: float | None
    resumed_s: float | None
    path: str = ""
    restart: bool = False
    lost_groups: tuple[int, ...] = ()
    lost_dies: tuple[int, ...] = ()
    kept_ranks: tuple[int, ...] = ()
    rolled_back: bool = False
    returns_s: float | None = None
    missing: bool = False
    killed: str = ""
    killed_resumes_s: float | None = None
