"""A solver that is given as an object, and not by name or file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lb
from evaluation.candidates.candidate import Candidate


@dataclass(frozen=True)
class GivenCandidate(Candidate):
    """A callable that exists already, as a candidate in this process.

    Parameters
    ----------
    solver
        The callable.

    Other parameters as of :class:`evaluation.candidates.candidate.Candidate`; ``spec`` is what it
    is called.
    """

    solver: Callable[[lb.Problem], lb.Placement] | None = field(default=None, compare=False)

    @property
    def path(self) -> None:
        """Nobody's file."""
        return

    @property
    def is_seeded(self) -> bool:
        """It was made with whatever seed it has."""
        return False

    def make(self) -> Any:
        """Return the callable."""
        return self.solver
