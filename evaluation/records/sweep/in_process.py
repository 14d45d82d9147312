"""Run tasks one after another in this process."""

from collections import deque
from typing import Self

from evaluation.records.sweep.task import LostTask, Preparation, Record, SweepTask


class InProcess:
    """Backend without worker processes: ``next`` runs a task."""

    def __init__(self) -> None:
        self._queue: deque[tuple[int, SweepTask | Preparation]] = deque()

    def submit(self, number: int, task: SweepTask | Preparation) -> None:
        """Append a task to the queue."""
        self._queue.append((number, task))

    def next(self) -> tuple[int, Record | LostTask]:
        """Run the first task of the queue."""
        number, task = self._queue.popleft()
        return number, task.run()

    def __enter__(self) -> Self:
        """Do nothing: there is no process to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is no process to end."""
