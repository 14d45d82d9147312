"""Kernels of a row of counts: a count from a random number, and a row brought to its total."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import part


@part
def inverted(bits: np.uint32, none: float, slope: float, start: float, most: int) -> int:
    """Return the count at quantile ``bits``: p(n+1) = p(n) (slope + start / (n+1)), p(0) = none."""
    left = (bits + 0.5) * 2.0**-32 - none
    chance = none
    count = 0
    while left > 0.0 and count < most:
        count += 1
        chance *= slope + start / count
        # Below this the tail is rounding.
        if chance < 1e-14:
            break
        left -= chance
    return count


@part
def row_sum(row: NDArray[np.int32]) -> int:
    """Return the sum of a row."""
    whole = np.int32(0)  # a total is below 2**31
    for expert in range(len(row)):
        whole += row[expert]
    return int(whole)


@part
def spread(row: NDArray[np.int32], missing: int, upto: NDArray[np.float32], phase: float) -> None:
    """Add ``missing``, of either sign, in proportion to variance: the running shares ``upto``.

    ``phase`` in [0, 1) is random, so that no expert is favoured by rounding.
    """
    # the sign apart, so that rounding down is cutting off, which the machine does eight at a time
    sign = np.int32(-1 if missing < 0 else 1)
    whole = np.float32(abs(missing))
    shift = np.float32(phase)
    before = np.int32(0)
    for expert in range(len(row)):
        now = np.int32(whole * upto[expert] + shift)
        row[expert] += sign * (now - before)
        before = now
    row[len(row) - 1] += missing - sign * before


@part
def thin(
    row: NDArray[np.int32], surplus: int, per_count: NDArray[np.float32], phase: float
) -> None:
    """Take ``surplus`` away in proportion to the counts, so that those of 0 stay.

    A count weighs ``per_count`` [experts], variance over mean, which spreads the surplus by
    variance on average.
    """
    whole = 0.0
    for expert in range(len(row)):
        whole += row[expert] * per_count[expert]
    share = surplus / whole if whole > 0.0 else 0.0
    upto = phase
    before = 0
    for expert in range(len(row)):
        upto += share * row[expert] * per_count[expert]
        now = min(int(upto), surplus)
        row[expert] -= now - before
        before = now
    row[len(row) - 1] -= surplus - before


@part
def carry(row: NDArray[np.int32], most: int) -> None:
    """Bring every count within 0 and ``most``, what is over going to the experts that follow."""
    carried = 0
    for _ in range(2):  # once around finds a place for every token; the total is within bounds
        for expert in range(len(row)):
            wanted = row[expert] + carried
            row[expert] = min(max(wanted, 0), most)
            carried = wanted - row[expert]


@part
def outside(row: NDArray[np.int32], most: int) -> bool:
    """Return whether a count is below 0 or above ``most``."""
    low = np.int32(0)
    high = np.int32(0)
    for expert in range(len(row)):
        low = min(low, row[expert])
        high = max(high, row[expert])
    return bool(low < 0 or high > most)
