"""Tasks that wait, by the input that they share."""

from collections import deque
from collections.abc import Collection, Hashable
from typing import NamedTuple


class Waiting(NamedTuple):
    """A task that waits: its number, the task itself, pickled, and its group."""

    number: int
    task: bytes
    group: Hashable


class TaskQueue:
    """Tasks in the order in which they came, except that a process stays with its group.

    Tasks of one group share an input that a process keeps once it has made it. So a process gets
    tasks of its group as long as there are any, then those of a group where nobody is at work. Only
    when there is none left, it helps with the group that has most tasks.
    """

    def __init__(self) -> None:
        self._groups: dict[Hashable, deque[Waiting]] = {}

    def __bool__(self) -> bool:
        """Whether a task waits."""
        return bool(self._groups)

    def put(self, number: int, task: bytes, group: Hashable | None) -> None:
        """Append a task; ``None``: it shares nothing with another one."""
        waiting = Waiting(number, task, (number,) if group is None else group)
        self._groups.setdefault(waiting.group, deque()).append(waiting)

    def take(self, own: Hashable | None, others: Collection[Hashable]) -> Waiting:
        """Remove a task for a process and return it; there must be one.

        Parameters
        ----------
        own
            Group of the last task of the process; ``None``: it had none.
        others
            Groups at which other processes are at work.
        """
        group = own
        if own not in self._groups:
            free = (each for each in self._groups if each not in others)
            group = next(free, None) or max(self._groups, key=lambda each: len(self._groups[each]))
        tasks = self._groups[group]
        waiting = tasks.popleft()
        if not tasks:
            del self._groups[group]
        return waiting
