"""Protocols of a sweep: tasks, and backends that run them."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

Record = dict[str, Any]


class Preparation(Protocol):
    """What a worker process does before the first task, such as compiling; it can be pickled."""

    def run(self) -> Record:
        """Run; what is returned is not kept. An exception ends the sweep."""


class SweepTask(Protocol):
    """A task of a sweep: it creates one record and knows the file of the record.

    A task can be pickled. Its fields name files as strings or paths, so that the files can travel
    with it to another machine. A task may have a ``group``: tasks of equal groups share an input,
    such as traffic, that a process makes once, and run in one process where possible.
    """

    def run(self) -> Record:
        """Run and return the record. A failure of the solver is part of the record."""

    def failed(self, reason: str) -> Record:
        """Return the record of a run that was lost, without running the solver."""

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""


@dataclass(frozen=True)
class LostTask:
    """The outcome of a task whose process or machine died, or that was too slow.

    Parameters
    ----------
    reason
        What happened to the process.
    """

    reason: str


class Backend(Protocol):
    """Runs tasks in this process, in other processes, or on other machines.

    A backend is a context manager. If the context ends with an exception, running tasks are killed.
    """

    def submit(self, number: int, task: SweepTask | Preparation) -> None:
        """Accept a task with a number that the caller chooses."""

    def next(self) -> tuple[int, Record | LostTask]:
        """Wait until a task has ended, and return its number and outcome.

        An exception that a task raises is raised here.
        """

    def __enter__(self) -> Self:
        """Start the backend."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the backend."""
