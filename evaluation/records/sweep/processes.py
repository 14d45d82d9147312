"""Tasks in processes of this machine, of which any may be lost at the cost of its own task."""

import pickle
from collections import deque
from multiprocessing.connection import wait
from typing import Self

from evaluation.records.sweep.task import Lost, Record, Task
from evaluation.records.sweep.worker import Worker


class Processes:
    """A backend of worker processes, each replaced by a fresh one when it is lost.

    Parameters
    ----------
    jobs
        How many there are at most.
    threads
        Of each numeric library in one of them.
    time_limit_s
        Seconds that a task may take; None for any.
    """

    def __init__(self, jobs: int, threads: int = 1, time_limit_s: float | None = None) -> None:
        self._jobs = jobs
        self._threads = threads
        self._time_limit_s = time_limit_s
        self._open: deque[tuple[int, bytes]] = deque()
        self._idle: list[Worker] = []
        self._busy: dict[Worker, int] = {}

    def submit(self, number: int, task: Task) -> None:
        """Take a task."""
        self._open.append((number, pickle.dumps(task)))

    def next(self) -> tuple[int, Record | Lost]:
        """Keep every worker busy until one of the tasks has ended."""
        while self._open and len(self._busy) < self._jobs:
            number, task = self._open.popleft()
            worker = self._idle.pop() if self._idle else Worker(self._threads, self._time_limit_s)
            self._busy[worker] = number
            worker.give(task)
        while True:
            for worker, number in self._busy.items():
                found = worker.outcome()
                if found is not None:
                    del self._busy[worker]
                    if not isinstance(found, Lost):
                        self._idle.append(worker)
                    return number, found
            connections = [worker.connection for worker in self._busy]
            wait(connections, min(worker.patience_s for worker in self._busy))

    def __enter__(self) -> Self:
        """Start nothing yet: a worker starts with its first task."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let idle workers leave; end the others, and after an exception all of them, at once."""
        for worker in self._busy:
            worker.kill()
        for worker in self._idle:
            worker.connection.close()  # all of them hear it before one is waited for
        for worker in self._idle:
            worker.leave() if kind is None else worker.kill()
