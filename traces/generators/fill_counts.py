"""The inner loop of counts: consecutive steps drawn from their moments."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.exact_total import carry, inverted, outside, row_sum, spread, thin
from traces.generators.kernel import kernel, part
from traces.generators.random_bits import Bits, word


@kernel
def fill_steps(recurrence: NDArray[np.float64], steps: NDArray[np.uint32]) -> None:
    """Fill ``steps`` [rows, width] with the random bits from which on a count is above 0, 1, …."""
    for row in range(len(recurrence)):
        chance, slope, start, _ = recurrence[row]
        whole = chance
        for count in range(steps.shape[1]):
            steps[row, count] = np.uint32(min(np.rint(whole * 2.0**32), 2.0**32 - 1))
            chance = max(chance * (slope + start / (count + 1)), 0.0)
            whole += chance


@part
def _reached(steps: NDArray[np.uint32], bits: np.uint32) -> int:
    """Return how many of ``steps`` the ``bits`` have reached: no branch to be guessed wrong."""
    count = np.uint32(0)
    for n in range(len(steps)):
        count += np.uint32(bits >= steps[n])
    return int(count)


@kernel
def fill_counts(
    out: NDArray[np.int32],
    kind: NDArray[np.int64],
    first: int,
    key: Bits,
    tokens: NDArray[np.int64],
    top_k: int,
    moments: NDArray[np.float32],
    upto: NDArray[np.float32],
    per_count: NDArray[np.float32],
    small: NDArray[np.int32],
    small_start: NDArray[np.int64],
    recurrence: NDArray[np.float64],
    small_steps: NDArray[np.uint32],
    quantile: NDArray[np.float32],
) -> None:
    """Draw the counts of consecutive steps that share one law.

    Parameters
    ----------
    out
        [steps, layers, experts], filled.
    kind
        [steps] which of the sizes of a step each has.
    first
        Number of the first step in the trace.
    key
        Of the stream of random bits.
    tokens
        [kinds] tokens of a step.
    top_k
        Experts that a token chooses.
    moments
        [kinds, 3, layers, experts] mean, deviation, and a sixth of skewness times deviation.
    upto
        [kinds, layers, experts] running share of the variance.
    per_count
        [kinds, layers, experts] variance over mean.
    small, small_start
        Experts whose count is found by inversion: ids, and [kinds, layers + 1] where those of a
        layer begin, the layers of one kind after another.
    recurrence
        [len(small), 4] chance of none, the two numbers of the recurrence, and whether the tokens
        that do not choose the expert are meant.
    small_steps
        [len(small), width] of :func:`fill_steps`; counts beyond its width are found one by one.
    quantile
        [65536] of the normal distribution.
    """
    steps, layers, experts = out.shape
    words = np.empty(experts // 2 + 1, np.uint64)
    halves = words.view(np.uint32)
    for step in range(steps):
        which = kind[step]
        most = tokens[which]
        for layer in range(layers):
            # Every step and layer has its own words, so that any part of a trace can be drawn
            # alone.
            place = np.uint64((first + step) * layers + layer) * np.uint64(len(words))
            for n in range(len(words)):
                words[n] = word(key, place + np.uint64(n))
            row = out[step, layer]
            mean = moments[which, 0, layer]
            deviation = moments[which, 1, layer]
            skewness = moments[which, 2, layer]
            # Step 1: a normal number with skewness for every expert, by the first terms of Cornish
            # and Fisher's expansion.
            for expert in range(experts):
                z = quantile[halves[expert] >> np.uint32(16)]
                drawn = mean[expert] + z * deviation[expert] + (z * z - 1) * skewness[expert]
                row[expert] = max(np.int32(np.rint(drawn)), np.int32(0))
            # Step 2: rare experts, and those that hardly any token misses, by inversion: their
            # counts are not normal.
            begin = small_start[which, layer]
            end = small_start[which, layer + 1]
            for n in range(begin, end):
                bits = halves[small[n]]
                few = _reached(small_steps[n], bits)
                none, slope, start, mirrored = recurrence[n]
                if few == small_steps.shape[1]:
                    few = inverted(bits, none, slope, start, most)
                few = min(few, most)
                row[small[n]] = most - few if mirrored else few
            # 24 bits, so that float32 holds them below 1
            phase = np.float64(words[len(words) - 1] >> np.uint64(40)) * 2.0**-24
            # Step 3: the total must be tokens times top_k. Where experts are rare, what is too much
            # comes off in proportion to the counts, so that a count of 0 stays.
            have = row_sum(row)
            if end > begin and have > most * top_k:
                thin(row, have - most * top_k, per_count[which, layer], phase)
            else:
                spread(row, most * top_k - have, upto[which, layer], phase)
            if outside(row, most):
                carry(row, most)
