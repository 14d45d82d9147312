"""Tasks one after another in this process: nothing to start, and nothing between them and it."""

from collections import deque
from typing import Self

from evaluation.records.sweep.task import Lost, Record, Task


class Here:
    """A backend that runs a task when its outcome is asked for."""

    def __init__(self) -> None:
        self._open: deque[tuple[int, Task]] = deque()

    def submit(self, number: int, task: Task) -> None:
        """Take a task."""
        self._open.append((number, task))

    def next(self) -> tuple[int, Record | Lost]:
        """Run the oldest task."""
        number, task = self._open.popleft()
        return number, task.run()

    def __enter__(self) -> Self:
        """Start nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """End nothing."""
