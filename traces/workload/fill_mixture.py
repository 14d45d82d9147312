"""The inner loop of counts of steps whose tokens are of several conditions."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.exact_total import carry, inverted, outside, row_sum, spread, thin
from traces.generators.kernel import kernel, part
from traces.generators.random_bits import Bits, word

#: Counts with a lower mean are drawn by inversion; as in traces.generators.moments.
INVERTED_BELOW = 16.0
#: Tokens of a step up to which they are drawn one by one: so few do not bear conditioning.
FEW = 4
#: Steps after which sums are made anew, so that rounding errors do not add up.
RENEWED_EVERY = 64
#: Most rounds of the search for variances before conditioning on the total.
ROUNDS = 12


@part
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


@part
def _add_tokens(sums: NDArray[np.float64], chance: NDArray[np.float64], tokens: float) -> None:
    """Add tokens with ``chance`` [experts] to the sums [3, experts] of its first three powers."""
    mean, second, third = sums[0], sums[1], sums[2]
    for expert in range(len(chance)):
        p = chance[expert]
        part = tokens * p
        mean[expert] += part
        second[expert] += part * p
        third[expert] += part * p * p


@part
def _wider(sums: NDArray[np.float64], wide: NDArray[np.float64]) -> None:
    """Fill ``wide`` with v such that ``v - v**2 / sum(v)`` is binomial variance, if there is such.

    What bringing a row to its total takes away is in it beforehand.
    """
    for expert in range(len(wide)):
        wide[expert] = max(sums[0, expert] - sums[1, expert], 0.0)
    before = 0.0
    for _ in range(ROUNDS):
        whole = _sum(wide)
        if whole - before <= 1e-4 * whole:
            return
        before = whole
        per_whole = 1.0 / whole
        for expert in range(len(wide)):
            binomial = max(sums[0, expert] - sums[1, expert], 0.0)
            wide[expert] = binomial + wide[expert] * wide[expert] * per_whole


@part
def _draw_often(
    row: NDArray[np.int32],
    sums: NDArray[np.float64],
    wide: NDArray[np.float64],
    most: int,
    halves: NDArray[np.uint32],
    quantile: NDArray[np.float32],
) -> bool:
    """Draw counts of a normal law with skewness; return whether some are too rare for that."""
    rare = False
    for expert in range(len(row)):
        mean = max(sums[0, expert], 0.0)
        rare |= min(mean, most - mean) < INVERTED_BELOW
        z = np.float64(quantile[halves[expert] >> np.uint32(16)])
        third = mean - 3.0 * sums[1, expert] + 2.0 * sums[2, expert]
        skew = third / (6.0 * max(wide[expert], 1e-30))
        drawn = mean + z * np.sqrt(wide[expert]) + (z * z - 1.0) * skew
        row[expert] = np.int32(max(np.rint(drawn), 0.0))
    return rare


@part
def _draw_rare(
    row: NDArray[np.int32],
    sums: NDArray[np.float64],
    wide: NDArray[np.float64],
    most: int,
    halves: NDArray[np.uint32],
) -> None:
    """Draw the rare counts anew by inversion, from a law of the same mean and variance."""
    for expert in range(len(row)):
        mean, variance = max(sums[0, expert], 0.0), wide[expert]
        # an expert that most tokens choose is counted by those that do not
        mirrored = mean > 0.5 * most
        if mirrored:
            mean = max(most - mean, 0.0)
        if mean >= INVERTED_BELOW:
            continue
        few = 0
        if mean > 1e-9 and variance > 0.0:
            # a Panjer recurrence (ASTIN Bulletin 12, 1981), as in traces.generators.moments
            slope = 1.0 - mean / variance
            power = mean * mean / variance
            if abs(slope) < 1e-9:
                slope, none = 0.0, np.exp(-mean)
            else:
                none = np.exp(np.log(mean / variance) * power / slope)
            few = min(inverted(halves[expert], none, slope, power - slope, most), most)
        row[expert] = most - few if mirrored else few


@part
def _to_total(
    row: NDArray[np.int32],
    sums: NDArray[np.float64],
    wide: NDArray[np.float64],
    shares: NDArray[np.float32],
    surplus: int,
    thinned: bool,
    phase: float,
) -> None:
    """Take ``surplus`` from a row, or add to it; ``thinned`` rows keep their counts of 0."""
    if thinned:
        for expert in range(len(row)):
            shares[expert] = wide[expert] / max(sums[0, expert], 1e-9)
        thin(row, surplus, shares, phase)
        return
    whole = max(_sum(wide), 1e-30)
    upto = 0.0
    for expert in range(len(row)):
        upto += wide[expert]
        shares[expert] = min(upto / whole, 1.0)
    spread(row, -surplus, shares, phase)


@part
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
    for expert in range(len(row)):
        row[expert] = 0
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
def fill_mixture(
    out: NDArray[np.int32],
    tokens: NDArray[np.int64],
    whole: NDArray[np.int64],
    begin: NDArray[np.int64],
    changes: NDArray[np.int64],
    chance: NDArray[np.float64],
    top_k: int,
    key: Bits,
    quantile: NDArray[np.float32],
    order: NDArray[np.int64],
    sums: NDArray[np.float64],
    number: int,
) -> None:
    """Draw the counts of steps; each has its own tokens of every condition.

    Parameters
    ----------
    out
        [steps, layers, experts], filled.
    tokens
        [steps, conditions] tokens of each step.
    whole
        [steps] tokens of each step.
    begin, changes
        Where the changes of each step begin, [steps + 1], and the condition and number of tokens
        that a step has more than the one before, [changes, 2]. A step whose number is a multiple
        of :data:`RENEWED_EVERY` follows one without tokens, any other the one that ``sums`` hold.
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
    sums
        [layers, 3, experts] sums over the tokens of the step before: of their chances, and of the
        second and third powers of these. Afterwards those of the last step.
    number
        Number of the first step.
    """
    steps, layers, experts = out.shape
    wide = np.empty(experts)
    shares = np.empty(experts, np.float32)
    words = np.empty(max(experts // 2 + 1, FEW), np.uint64)
    halves = words.view(np.uint32)
    for layer in range(layers):
        own = sums[layer]
        for step in range(steps):
            if (number + step) % RENEWED_EVERY == 0:
                for expert in range(experts):
                    own[0, expert] = own[1, expert] = own[2, expert] = 0.0
            for place in range(begin[step], begin[step + 1]):
                _add_tokens(own, chance[layer, changes[place, 0]], float(changes[place, 1]))
            row = out[step, layer]
            start = np.uint64(step * layers + layer) * np.uint64(len(words))
            for place in range(len(words)):
                words[place] = word(key, start + np.uint64(place))
            most = whole[step]
            if most <= FEW:
                _fill_few(row, tokens[step], chance[layer], top_k, words, order[layer])
                continue
            _wider(own, wide)
            rare = _draw_often(row, own, wide, most, halves, quantile)
            if rare:
                _draw_rare(row, own, wide, most, halves)
            # 24 bits, so that float32 holds them below 1
            phase = np.float64(words[len(words) - 1] >> np.uint64(40)) * 2.0**-24
            surplus = row_sum(row) - most * top_k
            _to_total(row, own, wide, shares, surplus, rare and surplus > 0, phase)
            if outside(row, most):
                carry(row, most)
