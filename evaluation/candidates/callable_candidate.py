"""A solver that is an object, not a name or a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lb
from evaluation.candidates.candidate import Candidate


@dataclass(frozen=True)
class CallableCandidate(Candidate):
    """An existing callable as a candidate. It runs in this process.

    Parameters
    ----------
    solver
        The callable.

    The other parameters are those of :class:`evaluation.candidates.candidate.Candidate`; ``spec``
    is the displayed name.
    """

    solver: Callable[[lb.Problem], lb.Placement] | None = field(default=None, compare=False)

    @property
    def path(self) -> None:
        """None: the callable has no file."""
        return

    @property
    def is_seeded(self) -> bool:
        """False: the caller seeded the callable, if at all."""
        return False

    def make(self) -> Any:
        """Return the callable."""
        return self.solver
