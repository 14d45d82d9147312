"""Run tasks in worker processes of this machine."""

import pickle
from collections import deque
from multiprocessing.connection import wait
from typing import Self

from evaluation.records.sweep.task import LostTask, Record, SweepTask
from evaluation.records.sweep.worker import Worker


class WorkerPool:
    """Backend of worker processes. A worker that is lost is replaced by a fresh one.

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
        self._queue: deque[tuple[int, bytes]] = deque()
        self._idle: list[Worker] = []
        self._busy: dict[Worker, int] = {}

    def submit(self, number: int, task: SweepTask) -> None:
        """Append a task to the queue."""
        self._queue.append((number, pickle.dumps(task)))

    def next(self) -> tuple[int, Record | LostTask]:
        """Keep every worker busy until one of the tasks has ended."""
        while self._queue and len(self._busy) < self._jobs:
            number, task = self._queue.popleft()
            worker = self._idle.pop() if self._idle else Worker(self._threads, self._time_limit_s)
            self._busy[worker] = number
            worker.send(task)
        while True:
            for worker, number in self._busy.items():
                outcome = worker.outcome()
                if outcome is not None:
                    del self._busy[worker]
                    if not isinstance(outcome, LostTask):
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
