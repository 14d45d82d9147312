"""Samplers of laws that are given as chances, standing still or drifting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.token_filter import TokenFilter, first_match

#: Kinds where sequences of a condition do not differ.
ALL_ALIKE = SequenceKinds()


@dataclass(frozen=True, eq=False)
class StillSampler:
    """Draws from chances that never change.

    Parameters
    ----------
    chance
        [layers, conditions, experts], each row adding up to ``top_k``.
    top_k
        Experts that a token chooses.
    """

    chance: NDArray[np.float64]
    top_k: int

    def interval(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return zeros, [steps]."""
        return np.zeros(len(time_s), dtype=np.int64)

    def chances(self, interval: int) -> NDArray[np.float64]:
        """Return the chances, whatever the interval."""
        return self.chance

    def draw(
        self, tokens: NDArray[np.int64], interval: int, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return counts; see :func:`traces.workload.chance_counts.chance_counts`."""
        from traces.workload.chance_counts import chance_counts

        return chance_counts(tokens, self.chance, self.top_k, random)


class DriftingSampler:
    """Draws from chances that change from interval to interval of time.

    Parameters
    ----------
    chances
        Number of an interval to [layers, conditions, experts]; numbers never fall.
    interval_s
        Seconds of an interval.
    top_k
        Experts that a token chooses.
    """

    def __init__(
        self, chances: Callable[[int], NDArray[np.float64]], interval_s: float, top_k: int
    ) -> None:
        self._chances, self._interval_s, self.top_k = chances, interval_s, top_k
        self._number = -1
        self._chance = np.zeros((0, 0, 0))

    def interval(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of the interval of each step, [steps]."""
        return (time_s // self._interval_s).astype(np.int64)

    def chances(self, interval: int) -> NDArray[np.float64]:
        """Return the chances in an interval that is not before that of the last call."""
        if interval != self._number:
            self._chance, self._number = self._chances(interval), interval
        return self._chance

    def draw(
        self, tokens: NDArray[np.int64], interval: int, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return counts; see :func:`traces.workload.chance_counts.chance_counts`."""
        from traces.workload.chance_counts import chance_counts

        return chance_counts(tokens, self.chances(interval), self.top_k, random)


def conditions_with_kinds(
    conditions: Sequence[TokenFilter],
    kinds: SequenceKinds,
    requests: RequestTrace,
    phase: str,
    random: np.random.Generator,
) -> NDArray[np.int32]:
    """Return the condition of each request's tokens where each condition has kinds of sequences.

    Shape, order and errors are those of :func:`traces.workload.token_filter.first_match`.
    """
    kind = kinds.of_requests(requests, random)
    match = _first_match(tuple(conditions), requests, phase)
    return (match * kinds.count + kind[:, None]).astype(np.int32)


# Two pools of a workload have the same requests, and their routing the same conditions.
@lru_cache(maxsize=2)
def _first_match(
    conditions: tuple[TokenFilter, ...], requests: RequestTrace, phase: str
) -> NDArray[np.int32]:
    return first_match(conditions, requests, phase)


def by_layer(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [layers, conditions, experts] of chances [conditions, layers, experts]."""
    return np.ascontiguousarray(chance.transpose(1, 0, 2))
