"""The inner loop of counts of steps whose tokens are of several conditions."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.exact_total import carry, inverted, outside, row_sum, spread, thin
from traces.generators.kernel import kernel
from traces.generators.random_bits import Bits, word

#: Counts with a lower mean are drawn by inversion; as in traces.generators.moments.
INVERTED_BELOW = 16.0
#: Tokens of a step up to which they are drawn one by one: so few do not bear conditioning.
FEW = 4
#: Steps after which sums are made anew, so that rounding errors do not add up.
RENEWED_EVERY = 64
#: Most rounds of the search for variances before conditioning on the total.
ROUNDS = 12


@kernel
def _sum(row: NDArray[np.float64]) -> float:
    # four sums side by side: one alone waits for each addition
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    whole = len(row) - len(row) % 4
    for place in range(0, whole, 4):
        first += row[place]
        second += row[place + 1]
        third += row[place + 2]
        fourth += row[place + 3]
    for place in range(whole, len(row)):
        first += row[place]
    return (first + second) + (third + fourth)


@kernel
def _add_tokens(sums: NDArray[np.float64], chance: NDArray[np.float64], tokens: float) -> None:
    """Add tokens with ``chance`` [experts] to the sums [3, experts] of its first three powers."""
    mean, second, third = sums[0], sums[1], sums[2]
    for expert in range(len(chance)):
        p = chance[expert]
        part = tokens * p
        mean[expert] += part
        second[expert] += part * p
        third[expert] += part * p * p


@kernel
def _wider(binomial: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill ``out`` with v such that ``v - v**2 / sum(v)`` is ``binomial``, if there is such."""
    out[:] = binomial
    whole = _sum(out)
    for _ in range(ROUNDS):
        if whole <= 0.0:
            return
        for expert in range(len(out)):
            out[expert] = binomial[expert] + out[expert] * out[expert] / whole
        before = whole
        whole = _sum(out)
        if whole - before < 1e-4 * whole:
            return


@kernel
def _rare(bits: np.uint32, mean: float, variance: float, most: int) -> int:
    """Return a count of that mean and variance at quantile ``bits``: a Panjer recurrence."""
    slope = 1.0 - mean / variance
    if abs(slope) < 1e-9:
        return inverted(bits, np.exp(-mean), 0.0, mean, most)
    power = mean * mean / variance
    none = np.exp(np.log(mean / variance) * power / slope)
    return inverted(bits, none, slope, power - slope, most)


@kernel
def _fill_row(
    row: NDArray[np.int32],
    sums: NDArray[np.float64],
    most: int,
    top_k: int,
    words: NDArray[np.uint64],
    quantile: NDArray[np.float32],
    work: NDArray[np.float64],
    shares: NDArray[np.float32],
) -> None:
    """Draw the counts of one layer of one step.

    Each count has the mean, variance and skewness of independent tokens. Then the row is brought
    to its total; variances are widened before so that what this takes away is in them.
    """
    experts = len(row)
    halves = words.view(np.uint32)
    binomial, wide = work[0], work[1]
    for expert in range(experts):
        binomial[expert] = max(sums[0, expert] - sums[1, expert], 0.0)
    _wider(binomial, wide)
    rare = False
    for expert in range(experts):
        mean = max(sums[0, expert], 0.0)
        rare |= min(mean, most - mean) < INVERTED_BELOW
        z = np.float64(quantile[halves[expert] >> np.uint32(16)])
        third = mean - 3.0 * sums[1, expert] + 2.0 * sums[2, expert]
        skew = third / (6.0 * max(wide[expert], 1e-30))
        drawn = mean + z * np.sqrt(wide[expert]) + (z * z - 1.0) * skew
        row[expert] = np.int32(max(np.rint(drawn), 0.0))
    if rare:
        for expert in range(experts):
            mean = max(sums[0, expert], 0.0)
            mirrored = mean > 0.5 * most
            rarer = max(most - mean, 0.0) if mirrored else mean
            if rarer >= INVERTED_BELOW:
                continue
            few = 0
            if rarer > 1e-9 and wide[expert] > 0.0:
                few = min(_rare(halves[expert], rarer, wide[expert], most), most)
            row[expert] = most - few if mirrored else few
    # 24 bits, so that float32 holds them below 1
    phase = np.float64(words[len(words) - 1] >> np.uint64(40)) * 2.0**-24
    surplus = row_sum(row) - most * top_k
    if rare and surplus > 0:
        for expert in range(experts):
            mean = sums[0, expert]
            shares[expert] = wide[expert] / mean if mean > 1e-9 else 0.0
        thin(row, surplus, shares, phase)
    else:
        whole, upto = _sum(wide), 0.0
        for expert in range(experts):
            upto += wide[expert]
            shares[expert] = min(upto / whole, 1.0) if whole > 0.0 else 1.0
        spread(row, -surplus, shares, phase)
    if outside(row, most):
        carry(row, most)


@kernel
def _fill_few(
    row: NDArray[np.int32],
    tokens: NDArray[np.int64],
    chance: NDArray[np.float64],
    top_k: int,
    words: NDArray[np.uint64],
    order: NDArray[np.int64],
) -> None:
    """Draw the counts of one layer of a step of few tokens, token by token.

    Systematic sampling (Madow, Ann. Math. Stat. 20, 1949): experts lie end to end in ``order``,
    each as long as its chance, and a token takes those at points that are 1 apart.
    """
    row[:] = 0
    drawn = 0
    for condition in range(len(tokens)):
        for _ in range(tokens[condition]):
            point = np.float64(words[drawn] >> np.uint64(11)) * 2.0**-53
            drawn += 1
            upto, taken = 0.0, 0
            for place in range(len(order)):
                upto += chance[condition, order[place]]
                # those left for later choices must be as many as these
                forced = len(order) - place == top_k - taken
                if taken < top_k and (upto > point or forced):
                    row[order[place]] += 1
                    point += 1.0
                    taken += 1


@kernel
def _changes(tokens: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each step's changes begin [steps + 1], and [changes, 2] condition and tokens."""
    steps, conditions = tokens.shape
    number = 0
    for step in range(steps):
        for condition in range(conditions):
            before = 0 if step % RENEWED_EVERY == 0 else tokens[step - 1, condition]
            number += tokens[step, condition] != before
    begin = np.zeros(steps + 1, np.int64)
    changes = np.empty((number, 2), np.int64)
    number = 0
    for step in range(steps):
        for condition in range(conditions):
            before = 0 if step % RENEWED_EVERY == 0 else tokens[step - 1, condition]
            if tokens[step, condition] != before:
                changes[number, 0] = condition
                changes[number, 1] = tokens[step, condition] - before
                number += 1
        begin[step + 1] = number
    return begin, changes


@kernel
def fill_mixture(
    out: NDArray[np.int32],
    tokens: NDArray[np.int64],
    chance: NDArray[np.float64],
    top_k: int,
    key: Bits,
    quantile: NDArray[np.float32],
    order: NDArray[np.int64],
) -> None:
    """Draw the counts of steps; each has its own tokens of every condition.

    Parameters
    ----------
    out
        [steps, layers, experts], filled.
    tokens
        [steps, conditions] tokens of each step.
    chance
        [layers, conditions, experts] chance that a token chooses an expert.
    top_k
        Experts that a token chooses.
    key
        Of the stream of random bits.
    quantile
        [65536] of the normal distribution.
    order
        [layers, experts] random order of the experts, for steps of few tokens.
    """
    steps, layers, experts = out.shape
    begin, changes = _changes(tokens)
    whole = tokens.sum(axis=1)
    sums = np.empty((3, experts))
    work = np.empty((2, experts))
    shares = np.empty(experts, np.float32)
    words = np.empty(max(experts // 2 + 1, FEW), np.uint64)
    for layer in range(layers):
        for step in range(steps):
            if step % RENEWED_EVERY == 0:
                sums[:] = 0.0
            for place in range(begin[step], begin[step + 1]):
                _add_tokens(sums, chance[layer, changes[place, 0]], float(changes[place, 1]))
            row = out[step, layer]
            if whole[step] == 0:
                row[:] = 0
                continue
            start = np.uint64(step * layers + layer) * np.uint64(len(words))
            for place in range(len(words)):
                words[place] = word(key, start + np.uint64(place))
            if whole[step] <= FEW:
                _fill_few(row, tokens[step], chance[layer], top_k, words, order[layer])
            else:
                _fill_row(row, sums, whole[step], top_k, words, quantile, work, shares)
