"""Sweeps: run many tasks, here or on many machines, keeping each record as soon as it is there."""

import math
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evaluation.records import record_file
from evaluation.records.stale_records import remove_stale
from evaluation.records.sweep.in_process import Here
from evaluation.records.sweep.processes import Processes
from evaluation.records.sweep.task import Backend, Lost, Record, Task

__all__ = ["Task", "finished", "run"]


def finished(task: Task, folder: Path) -> Record | None:
    """Return the record of an earlier run of the same task, if it is there and succeeded."""
    path = task.path(folder)
    if not path.is_file():
        return None
    try:
        record = record_file.read(path)
    except ValueError:
        return None  # cut short by a full disk, say: run again and replace it
    return record if record["status"] == "ok" else None


def run(
    todo: Sequence[Task],
    folder: Path,
    jobs: int = 1,
    *,
    fresh: bool = False,
    on_record: Callable[[Record, bool], None] = lambda record, reused: None,
    on_lost: Callable[[Task, str], None] = lambda task, reason: None,
    ray: str | None = None,
    retries: int = 1,
    time_limit_s: float | None = None,
) -> list[Record]:
    """Run tasks, writing each record as soon as it is finished.

    A task whose process or machine dies, or that takes too long, costs nothing but itself: it is
    tried again in a fresh process, and at last recorded as failed with the reason.

    Parameters
    ----------
    todo
        Tasks, from :func:`evaluation.kinds.task.tasks`, say; no two have the same file.
    folder
        Where records are kept. A record of the same task, code and inputs is reused; a new record
        replaces those that older code or other inputs gave for the same task.
    jobs
        Processes on this machine. One, without a time limit, is this very process, which a
        solver can then take down. Solve times are fairest with one. Ray counts for itself: a task
        for each CPU of the cluster.
    fresh
        Run everything again.
    on_record
        Told of each record, and whether it was taken from an earlier run.
    on_lost
        Told of each task that is about to be tried again, and why.
    ray
        None for this machine; "local" for a Ray cluster started here; else the address of one that
        runs, or "auto" for the one that this machine belongs to.
    retries
        How often a task that was lost is tried again.
    time_limit_s
        Seconds that a task may take, from when a process has read it; None for any.

    Returns
    -------
    list of dict
        The records, in the order of the tasks. That of a task that was lost in between has the
        reasons under "lost".

    Raises
    ------
    ValueError
        If a number cannot be. Whatever a task raises goes through, and ends the sweep.
    ImportError
        If Ray is asked for and missing.
    """
    _check(jobs, retries, time_limit_s)
    kept = (
        {} if fresh else {n: old for n, task in enumerate(todo) if (old := finished(task, folder))}
    )
    for record in kept.values():
        on_record(record, True)
    lost: dict[int, list[str]] = defaultdict(list)
    with _backend(todo, len(todo) - len(kept), jobs, ray, time_limit_s) as backend:
        for number, task in enumerate(todo):
            if number not in kept:
                backend.submit(number, task)
        while len(kept) < len(todo):
            number, found = backend.next()
            task = todo[number]
            if isinstance(found, Lost):
                lost[number].append(found.reason)
                if len(lost[number]) <= retries:
                    on_lost(task, found.reason)
                    backend.submit(number, task)
                    continue
                found = task.failed(f"{found.reason}; tried {_times(len(lost[number]))}")
            if number in lost:
                found["lost"] = lost[number]
            record_file.write(found, task.path(folder))
            remove_stale(found, task.path(folder))
            kept[number] = found
            on_record(found, False)
    return [kept[number] for number in sorted(kept)]


def _check(jobs: int, retries: int, time_limit_s: float | None) -> None:
    if jobs < 1:
        raise ValueError(f"jobs = {jobs} < 1; give at least one process")
    if retries < 0:
        raise ValueError(f"retries = {retries} < 0; give 0 to try every task once")
    if time_limit_s is not None and not 0 < time_limit_s < math.inf:
        raise ValueError(f"time_limit_s = {time_limit_s}; give seconds > 0, or None for any")


def _backend(
    todo: Sequence[Task], count: int, jobs: int, ray: str | None, time_limit_s: float | None
) -> Backend:
    """Return where the ``count`` tasks that are left will run."""
    if not count:
        return Here()
    if ray is not None:
        from evaluation.records.sweep.ray_cluster import RayCluster

        return RayCluster(ray, todo, time_limit_s)
    if jobs == 1 and time_limit_s is None:
        return Here()
    return Processes(jobs, max(1, _cores() // jobs), time_limit_s)


def _cores() -> int:
    """Return the cores that this process may use."""
    affinity: Any = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
