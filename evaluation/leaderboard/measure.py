"""What rows are ranked by: a ratio of sums, or a ratio to a reference on the same traffic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.relative import FromReference, with_ratios
from evaluation.records.identity import Identity, Record

Array = NDArray[np.float64]
#: Numerator and denominator of a record, [observations] each.
Parts = tuple[Array, Array]


@dataclass(frozen=True)
class RatioOfSums:
    """A score that is a sum over observations (windows, or layers) over another sum.

    Traffic moves the observations of all rows alike. Rows are therefore compared by their
    differences on the same traffic (:mod:`evaluation.leaderboard.differences`).

    Parameters
    ----------
    name
        Key of the score in a record.
    parts
        From a record to numerator and denominator, [observations] each.
    follow
        Whether observations follow each other in time, so that neighbours are alike.
    identity
        Fields of a record that say who ran, and on which traffic.
    """

    name: str
    parts: Callable[[Record], Parts]
    follow: bool = True
    identity: Identity = field(default_factory=Identity)

    def observe(self, records: Sequence[Record]) -> list[Parts | str]:
        """Return the parts of each record, or the reason why it has none."""
        return [self._parts(record) for record in records]

    def scale(self, value: Array) -> Array:
        """Return scores as they are shown: as they are."""
        return value

    def reference(self, records: Sequence[Record]) -> str:
        """Return an empty name: these scores have no reference."""
        return ""

    def _parts(self, record: Record) -> Parts | str:
        reason = lacks_numbers(self.name)
        try:
            above, below = self.parts(record)
            one_axis = np.ndim(above) == 1 and np.shape(above) == np.shape(below)
            finite = bool(np.isfinite(above).all() and np.isfinite(below).all())
            if not (one_axis and finite and has_finite_scores(record)):
                return reason
        except (KeyError, TypeError, ValueError, OverflowError):
            # A record may hold anything, such as an integer that no float holds.
            return reason
        return (above, below) if (below >= 0).all() and below.sum() > 0 else reason


@dataclass(frozen=True)
class RatioToReference:
    """A score that is a geometric mean of ratios to a reference on the same traffic.

    One record is one observation: the logarithm of its score over the score of the reference in the
    same scenario with the same seed. The reference takes out what traffic does to all rows alike,
    and its own ratio is exactly 1. All records must be of one stage.

    Parameters
    ----------
    name
        Key of the ratio.
    score
        Key of the score that is divided.
    needed
        Score of a record to the reason why the record cannot be compared without it.
    identity
        Fields of a record that say who ran, and on which traffic.
    """

    name: str
    score: str
    needed: dict[str, str] = field(default_factory=dict)
    identity: Identity = field(default_factory=lambda: Identity("solver", "", "seed"))
    follow = False

    def observe(self, records: Sequence[Record]) -> list[Parts | str]:
        """Return the parts of each record, or the reason why it has none.

        Without the reference on all traffic of the others nothing can be compared.
        """
        reference = FromReference(self.score, self.identity, records)
        absent = reference.absent(self._lacking)
        if absent is None:
            return [
                self._lacking(record) or self._logarithm(reference.ratio(record))
                for record in records
            ]
        nothing = f"nothing to compare with: reference {reference.name}: {absent}"
        return [self._lacking(record) or nothing for record in records]

    def scale(self, value: Array) -> Array:
        """Return ratios from their logarithms."""
        return np.exp(value)

    def reference(self, records: Sequence[Record]) -> str:
        """Return the name of the reference."""
        return FromReference(self.score, self.identity, records).name

    def with_ratios(self, records: Sequence[Record]) -> list[Record]:
        """Return records, of any suites and stages, with the ratio among their scores.

        Records that name no reference, or whose reference has no score on the same traffic, stay as
        they are.
        """
        return with_ratios(records, name=self.name, score=self.score, identity=self.identity)

    def _logarithm(self, ratio: float) -> Parts | str:
        if not 0 < ratio < math.inf:
            return lacks_numbers(self.name)
        return np.array([math.log(ratio)]), np.ones(1)

    def _lacking(self, record: Record) -> str | None:
        """Return why a record cannot be compared; None if it can."""
        if record["status"] != "ok":
            return str(record.get("reason") or record["status"])
        if not has_finite_scores(record):
            return lacks_numbers(self.name)
        scores = record["scores"]
        positive = {name for name in self.needed if (scores.get(name) or 0.0) > 0.0}
        return next((why for name, why in self.needed.items() if name not in positive), None)


Measure = RatioOfSums | RatioToReference


def single_score(name: str, identity: Identity) -> RatioOfSums:
    """Return the measure of records of which only the score ``name`` is known.

    One record is one observation.
    """

    def parts(record: Record) -> Parts:
        return np.array([record["scores"][name]], dtype=np.float64), np.ones(1)

    return RatioOfSums(name, parts, follow=False, identity=identity)


def lacks_numbers(name: str) -> str:
    """Return the reason why a record has no score of that name."""
    return f"lacks finite numbers of which {name} is made"


def has_finite_scores(record: Record) -> bool:
    """Return whether all scores of a record are finite numbers; unknown ones may be None."""
    scores: Any = record.get("scores")
    if not isinstance(scores, dict):
        return False
    known = [value for value in scores.values() if value is not None]
    try:
        return all(isinstance(value, int | float) and math.isfinite(value) for value in known)
    except OverflowError:  # an integer that no float holds
        return False
