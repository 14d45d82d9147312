"""Run tasks in worker processes of this machine."""

import pickle
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Self

from evaluation.records.sweep.task import LostTask, Preparation, Record, SweepTask
from evaluation.records.sweep.task_queue import TaskQueue
from evaluation.records.sweep.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Hashable


class WorkerPool:
    """Backend of worker processes. A worker that is lost is replaced by a fresh one.

    A worker gets tasks of one ``group`` as long as there are any: they share what it has in memory.

    Parameters
    ----------
    jobs
        Largest number of workers.
    threads
        Threads of each numeric library in a worker.
    time_limit_s
        Time limit of a task in seconds; ``None``: no limit.
    """

    def __init__(self, jobs: int, threads: int = 1, time_limit_s: float | None = None) -> None:
        self._jobs = jobs
        self._threads = threads
        self._time_limit_s = time_limit_s
        self._queue = TaskQueue()
        self._idle: list[Worker] = []
        self._busy: dict[Worker, int] = {}
        #: Group of the last task of each worker.
        self._group: dict[Worker, Hashable] = {}

    def submit(self, number: int, task: SweepTask | Preparation) -> None:
        """Append a task to the queue."""
        self._queue.put(number, pickle.dumps(task), getattr(task, "group", None))

    def next(self) -> tuple[int, Record | LostTask]:
        """Keep every worker busy until one of the tasks has ended."""
        while self._queue and len(self._busy) < self._jobs:
            worker = self._idle.pop() if self._idle else Worker(self._threads, self._time_limit_s)
            others = {self._group[busy] for busy in self._busy}
            waiting = self._queue.take(self._group.get(worker), others)
            self._busy[worker], self._group[worker] = waiting.number, waiting.group
            worker.send(waiting.task)
        while True:
            for worker, number in self._busy.items():
                outcome = worker.outcome()
                if outcome is not None:
                    del self._busy[worker]
                    if isinstance(outcome, LostTask):
                        del self._group[worker]
                    else:
                        self._idle.append(worker)
                    return number, outcome
            connections = [worker.connection for worker in self._busy]
            wait(connections, min(worker.wait_s for worker in self._busy))

    def __enter__(self) -> Self:
        """Do nothing: a worker starts with its first task."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop idle workers and kill busy ones; after an exception kill all workers."""
        for worker in self._busy:
            worker.kill()
        for worker in self._idle:
            worker.connection.close()  # all workers begin to exit before the first is awaited
        for worker in self._idle:
            worker.stop() if kind is None else worker.kill()
