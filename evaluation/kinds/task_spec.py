"""What a task is about: a candidate on a scenario of a suite."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TaskSpec:
    """A candidate on a scenario; it can be pickled.

    Parameters
    ----------
    suite, kind
        Id and kind of the suite.
    scenario, candidate
        As the kind defines them (:class:`evaluation.kinds.kind.Kind`).
    """

    suite: str
    kind: str
    scenario: Any
    candidate: Any
