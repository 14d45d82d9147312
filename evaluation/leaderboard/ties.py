"""Pairs of rows that are not separated, and how many repetitions would separate them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Share of step time below which a difference between two rows does not interest anybody.
SMALLEST_INTERESTING = 0.005
_LEAST = f"{100 * SMALLEST_INTERESTING:g} %"


@dataclass(frozen=True)
class Tie:
    """Two rows that are not separated.

    Parameters
    ----------
    rows
        (name, dispatcher) of the better row, then of the other.
    difference
        Observed share of the other's step time that the better row saves: 1 - other score ÷
        better score.
    repetitions
        Repetitions of each scenario that would separate them; None if the difference is not
        interesting or the number is not known.
    """

    rows: tuple[tuple[str, str], tuple[str, str]]
    difference: float
    repetitions: int | None

    @property
    def is_interesting(self) -> bool:
        """Whether the observed difference is at least 0.5 % of step time."""
        return self.difference >= SMALLEST_INTERESTING


def most_repetitions(ties: Iterable[Tie]) -> int | None:
    """Return the repetitions that would separate all ties whose number is known; None if none."""
    return max((tie.repetitions for tie in ties if tie.repetitions is not None), default=None)


def summary(ties: Sequence[Tie], repetitions: int) -> str:
    """Return in one line how many pairs are tied, and what would separate them.

    Parameters
    ----------
    ties
        Of all rows of a table.
    repetitions
        Repetitions that the rows have now, the fewest; 1: some scenarios ran on one trace.
    """
    if repetitions < 2:
        base = "Scenarios that ran on one trace say nothing about other traffic"
    else:
        base = f"Ranks and intervals come from {repetitions} repetitions"
    large = [tie for tie in ties if tie.is_interesting]
    if not large:
        return f"{base}; no pair that differs by {_LEAST} or more is tied."
    count = f"{len(large)} pair{'s' * (len(large) > 1)} that differ{'s' * (len(large) == 1)}"
    tied = f"{count} by {_LEAST} or more {'are' if len(large) > 1 else 'is'} tied"
    most = most_repetitions(large)
    if most is None:
        return f"{base}; {tied}."
    known = sum(tie.repetitions is not None for tie in large)
    which = "them" if known == len(large) else f"{known} of them"
    return f"{base}; {tied}, and about {most:,} repetitions would separate {which}."
