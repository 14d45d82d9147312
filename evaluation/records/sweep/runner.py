"""Run many tasks, and write each record as soon as it is finished."""

import math
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evaluation.records import record_file
from evaluation.records.stale_records import remove_stale
from evaluation.records.sweep.in_process import InProcess
from evaluation.records.sweep.task import Backend, LostTask, Preparation, Record, SweepTask
from evaluation.records.sweep.worker_pool import WorkerPool


def run(
    todo: Sequence[SweepTask],
    folder: Path,
    jobs: int = 1,
    *,
    fresh: bool = False,
    on_record: Callable[[Record, bool], None] = lambda record, reused: None,
    on_lost: Callable[[SweepTask, str], None] = lambda task, reason: None,
    preparations: Sequence[Preparation] = (),
    on_prepared: Callable[[Preparation], None] = lambda preparation: None,
    ray: str | None = None,
    retries: int = 1,
    time_limit_s: float | None = None,
) -> list[Record]:
    """Run tasks and write each record as soon as it is finished.

    If the process or machine of a task dies, or the task exceeds the time limit, no other task is
    affected. The task is tried again in a fresh process. After the last try it is recorded as
    failed, with the reason.

    Parameters
    ----------
    todo
        Tasks, for example from :func:`evaluation.kinds.task.tasks`, each with its own file.
    folder
        Folder of the records. A record of the same task, code and inputs is reused. A new record
        replaces those that older code or other inputs gave for the same task.
    jobs
        Worker processes on this machine. With one and no time limit, tasks run in this process,
        which a solver can then crash. Solve times are fairest with one. A Ray cluster ignores it:
        it runs one task per CPU.
    fresh
        Run all tasks again, also finished ones.
    on_record
        Called with each record, and whether it was reused from an earlier run.
    on_lost
        Called with each task that will be tried again, and the reason.
    preparations
        What the worker processes of this machine run before the first task, each once in one of
        them. A preparation that is lost changes nothing but time.
    on_prepared
        Called with each preparation that has ended.
    ray
        ``None``: this machine. "local" starts a Ray cluster here. Any other value is the address of
        a running cluster; "auto" is the cluster of this machine.
    retries
        Number of further tries of a lost task.
    time_limit_s
        Time limit of a task in seconds, from when a process has read it; ``None``: no limit.

    Returns
    -------
    list of dict
        The records, in the order of the tasks. The record of a task that was lost before it
        finished has the reasons under "lost".

    Raises
    ------
    ValueError
        If a number is out of range. An exception that a task raises is not caught: it ends the
        sweep.
    ImportError
        If Ray is asked for, but not installed.
    """
    _check(jobs, retries, time_limit_s)
    records: dict[int, Record] = {}
    for number, task in enumerate(todo):
        if not fresh and (record := _earlier_record(task, folder)):
            records[number] = record
    for record in records.values():
        on_record(record, True)
    losses: dict[int, list[str]] = defaultdict(list)
    with _backend(todo, len(todo) - len(records), jobs, ray, time_limit_s) as backend:
        for number, preparation in enumerate(preparations if ray is None else ()):
            backend.submit(-1 - number, preparation)
        for number, task in enumerate(todo):
            if number not in records:
                backend.submit(number, task)
        while len(records) < len(todo):
            number, outcome = backend.next()
            if number < 0:
                on_prepared(preparations[-1 - number])
                continue
            task = todo[number]
            if isinstance(outcome, LostTask):
                losses[number].append(outcome.reason)
                if len(losses[number]) <= retries:
                    on_lost(task, outcome.reason)
                    backend.submit(number, task)
                    continue
                outcome = task.failed(f"{outcome.reason}; tried {_times(len(losses[number]))}")
            if number in losses:
                outcome["lost"] = losses[number]
            # First the new record, then the removal: a failure in between loses nothing.
            record_file.write(outcome, task.path(folder))
            remove_stale(outcome, task.path(folder))
            records[number] = outcome
            on_record(outcome, False)
    return [records[number] for number in sorted(records)]


def _earlier_record(task: SweepTask, folder: Path) -> Record | None:
    """Return the record of an earlier successful run of the same task; None if there is none."""
    path = task.path(folder)
    if not path.is_file():
        return None
    try:
        record = record_file.read(path)
    except ValueError:
        return None  # for example cut short by a full disk: the task runs again and replaces it
    return record if record["status"] == "ok" else None


def _check(jobs: int, retries: int, time_limit_s: float | None) -> None:
    if jobs < 1:
        raise ValueError(f"jobs = {jobs} < 1; give at least one process")
    if retries < 0:
        raise ValueError(f"retries = {retries} < 0; give 0 to try every task once")
    if time_limit_s is not None and not 0 < time_limit_s < math.inf:
        raise ValueError(f"time_limit_s = {time_limit_s}; give seconds > 0, or None for no limit")


def _backend(
    todo: Sequence[SweepTask], count: int, jobs: int, ray: str | None, time_limit_s: float | None
) -> Backend:
    """Return the backend that runs the remaining ``count`` tasks."""
    if not count:
        return InProcess()
    if ray is not None:
        from evaluation.records.sweep.ray_cluster import RayCluster

        return RayCluster(ray, todo, time_limit_s)
    if jobs == 1 and time_limit_s is None:
        return InProcess()
    return WorkerPool(jobs, max(1, usable_cores() // jobs), time_limit_s)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    affinity: Any = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
