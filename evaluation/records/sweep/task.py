"""What can be swept, and what runs it."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

Record = dict[str, Any]


class Task(Protocol):
    """What can be swept: it makes one record, and knows where that record is kept.

    It can be pickled, and names files as strings or paths in its fields, so that they can travel
    with it to another machine.
    """

    def run(self) -> Record:
        """Return the record; the failure of what is tried becomes part of it."""

    def failed(self, reason: str) -> Record:
        """Return the record of a run that could not be ended, without running what is tried."""

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""


@dataclass(frozen=True)
class Lost:
    """A task whose process or machine ended before it did.

    Parameters
    ----------
    reason
        What became of the process, in words.
    """

    reason: str


class Backend(Protocol):
    """Where tasks run: in this process, in others, or on other machines.

    Left by an exception, it ends what is still running at once.
    """

    def submit(self, number: int, task: Task) -> None:
        """Take a task, under a number of the caller's."""

    def next(self) -> tuple[int, Record | Lost]:
        """Wait for one of the tasks to end, and return its number and what came of it.

        Whatever a task raises goes through.
        """

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End."""
