"""A few conditions that span the others, and the changes between them."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.kinds.own.recording import OwnRecording
from traces.generators.loads import distance

#: Conditions that are replayed unless the user asks for all.
MOST_STEADY = 3


def spanning(recordings: Sequence[OwnRecording], most: int = MOST_STEADY) -> list[OwnRecording]:
    """Return up to ``most`` recordings that span all of them.

    First the two that are farthest apart, then each time the farthest from those chosen. They keep
    their order.
    """
    if any(one.load is None for one in recordings) or len(recordings) <= most:
        return list(recordings)
    apart = _apart(recordings)
    chosen = list(map(int, np.unravel_index(int(apart.argmax()), apart.shape)))
    while len(chosen) < most:
        nearest = apart[:, chosen].min(axis=1)
        if nearest.max() == 0:
            break
        chosen.append(int(nearest.argmax()))
    return [recordings[number] for number in sorted(chosen)]


def changes(recordings: Sequence[OwnRecording]) -> list[tuple[OwnRecording, OwnRecording]]:
    """Return which recording gives way to which.

    The pair that is farthest apart, both ways, and the farthest pair of each phase, in order. With
    workloads, which have no loads to compare, each gives way to the next.
    """
    if len(recordings) < 2:
        return []
    if any(one.load is None for one in recordings):
        return list(pairwise(recordings))
    first, second = _farthest(recordings)
    found = [(first, second), (second, first)]
    for phase in ("decode", "prefill"):
        alike = [one for one in recordings if one.phase == phase]
        if len(alike) > 1 and _farthest(alike) not in found:
            found.append(_farthest(alike))
    return found


def total_variation(one: OwnRecording, other: OwnRecording) -> float:
    """Return the part of the load that differs between two recordings."""
    assert one.load is not None
    assert other.load is not None
    return distance(one.load, other.load).total_variation


def _farthest(recordings: Sequence[OwnRecording]) -> tuple[OwnRecording, OwnRecording]:
    return max(combinations(recordings, 2), key=lambda pair: total_variation(*pair))


def _apart(recordings: Sequence[OwnRecording]) -> NDArray[np.float64]:
    apart = np.zeros((len(recordings), len(recordings)))
    for first, second in combinations(range(len(recordings)), 2):
        apart[first, second] = total_variation(recordings[first], recordings[second])
    return apart + apart.T
