"""Whose error it is: the candidate's, or podlab's own."""

from collections.abc import Iterator
from contextlib import contextmanager

import lb


@contextmanager
def candidate_call() -> Iterator[None]:
    """Mark an error that is raised inside as one of the candidate's code or answer."""
    try:
        yield
    except (Exception, SystemExit) as error:
        error.of_candidate = True  # type: ignore[union-attr]
        raise


def is_of_candidate(error: BaseException) -> bool:
    """Return whether an error came from the code or the answer of a candidate.

    Any other error of a run is podlab's own, or of its input, and says nothing about the candidate.
    """
    return isinstance(error, lb.Infeasible) or getattr(error, "of_candidate", False)
