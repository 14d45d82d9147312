"""Sweeps: run many tasks, writing each record as soon as it is finished."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Protocol

from evaluation import records


class Task(Protocol):
    """What can be swept: it makes one record, and knows where that record is kept."""

    def run(self) -> dict[str, Any]:
        """Return the record; the failure of what is tried becomes part of it."""

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""


def finished(task: Task, folder: Path) -> dict[str, Any] | None:
    """Return the record of an earlier run of the same task, if it is there and succeeded."""
    path = task.path(folder)
    if not path.is_file():
        return None
    try:
        record = records.read(path)
    except ValueError:
        return None  # cut short by a full disk, say: run again and replace it
    return record if record["status"] == "ok" else None


def run(
    todo: Sequence[Task],
    folder: Path,
    jobs: int = 1,
    *,
    fresh: bool = False,
    on_record: Callable[[dict[str, Any], bool], None] = lambda record, reused: None,
) -> list[dict[str, Any]]:
    """Run tasks, writing each record as soon as it is finished.

    Parameters
    ----------
    todo
        Tasks, from :func:`evaluation.bench.tasks`, say.
    folder
        Where records are kept; those of the same task, code and inputs are taken up again.
    jobs
        Processes. Solve times are fairest with one.
    fresh
        Run everything again.
    on_record
        Told of each record, and whether it was taken from an earlier run.

    Returns
    -------
    list of dict
        The records, in the order of the tasks.
    """
    kept = (
        {} if fresh else {n: old for n, task in enumerate(todo) if (old := finished(task, folder))}
    )
    for record in kept.values():
        on_record(record, True)
    open_tasks = {number: task for number, task in enumerate(todo) if number not in kept}
    for number, record in _run_open(open_tasks, folder, jobs):
        kept[number] = record
        on_record(record, False)
    return [kept[number] for number in sorted(kept)]


def _run_open(
    open_tasks: dict[int, Task], folder: Path, jobs: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    if jobs == 1 or len(open_tasks) < 2:
        for number, task in open_tasks.items():
            yield number, _recorded(task, task.path(folder))
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_ignore_interrupt)
    try:
        futures: dict[Future[dict[str, Any]], int] = {
            pool.submit(_recorded, task, task.path(folder)): number
            for number, task in open_tasks.items()
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
        pool.shutdown()
    except BaseException:
        # an interrupt does not wait for a slow solver; records are whole or not there
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in active_children():
            worker.terminate()
        raise


def _recorded(task: Task, path: Path) -> dict[str, Any]:
    """Run a task and write its record where it ran, so that nothing finished can be lost."""
    record = task.run()
    records.write(record, path)
    return record


def _ignore_interrupt() -> None:
    # the parent decides what an interrupt means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
