"""The two hot loops: counts of a step drawn from their law, and tokens that choose their experts.

Random bits come from a counter: word ``n`` of a stream is SplitMix64's output function of
``key + n * golden`` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA
2014). A step, layer and expert own a place of the counter, so any part of a trace can be made alone
and the size of the blocks changes nothing.
"""

import numpy as np
from numpy.typing import NDArray

from traces.generators.compiled import compiled

Bits = np.uint64


@compiled
def _word(key: Bits, place: Bits) -> Bits:
    x = key + place * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _inverted(bits: np.uint32, none: float, slope: float, start: float, most: int) -> int:
    """Return the count at quantile ``bits``: p(n+1) = p(n) (slope + start / (n+1)), p(0) = none."""
    left = (bits + 0.5) * 2.0**-32 - none
    chance = none
    count = 0
    while left > 0.0 and count < most:
        count += 1
        chance *= slope + start / count
        if chance < 1e-14:
            break
        left -= chance
    return count


@compiled
def _sum(row: NDArray[np.int32]) -> int:
    whole = np.int32(0)  # a total is below 2**31
    for expert in range(len(row)):
        whole += row[expert]
    return int(whole)


@compiled
def _spread(row: NDArray[np.int32], missing: int, upto: NDArray[np.float32], phase: float) -> None:
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


@compiled
def _thin(
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


@compiled
def _carry(row: NDArray[np.int32], most: int) -> None:
    """Bring every count within 0 and ``most``, what is over going to the experts that follow."""
    carried = 0
    for _ in range(2):  # once around finds room for everything; the total is within bounds
        for expert in range(len(row)):
            wanted = row[expert] + carried
            row[expert] = min(max(wanted, 0), most)
            carried = wanted - row[expert]


@compiled
def _outside(row: NDArray[np.int32], most: int) -> bool:
    low = np.int32(0)
    high = np.int32(0)
    for expert in range(len(row)):
        low = min(low, row[expert])
        high = max(high, row[expert])
    return bool(low < 0 or high > most)


@compiled
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
    chances: NDArray[np.float64],
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
    chances
        [len(small), 4] chance of none, the two numbers of the recurrence, and whether the tokens
        that do not choose the expert are meant.
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
            place = np.uint64((first + step) * layers + layer) * np.uint64(len(words))
            for n in range(len(words)):
                words[n] = _word(key, place + np.uint64(n))
            row = out[step, layer]
            mean = moments[which, 0, layer]
            deviation = moments[which, 1, layer]
            skewness = moments[which, 2, layer]
            for expert in range(experts):
                z = quantile[halves[expert] >> np.uint32(16)]
                drawn = mean[expert] + z * deviation[expert] + (z * z - 1) * skewness[expert]
                row[expert] = max(np.int32(np.rint(drawn)), np.int32(0))
            begin = small_start[which, layer]
            end = small_start[which, layer + 1]
            for n in range(begin, end):
                none, slope, start, mirrored = chances[n]
                drawn_few = _inverted(halves[small[n]], none, slope, start, most)
                row[small[n]] = most - drawn_few if mirrored else drawn_few
            # 24 bits, so that float32 holds them below 1
            phase = np.float64(words[len(words) - 1] >> np.uint64(40)) * 2.0**-24
            have = _sum(row)
            if end > begin and have > most * top_k:
                _thin(row, have - most * top_k, per_count[which, layer], phase)
            else:
                _spread(row, most * top_k - have, upto[which, layer], phase)
            if _outside(row, most):
                _carry(row, most)


@compiled
def _larger(
    scores: NDArray[np.float64], out: NDArray[np.int64], held: int, begin: int, end: int
) -> int:
    """Let places ``begin`` to ``end`` into the ``held`` best in ``out``; return how many these are.

    The best comes first; of equal scores the earlier place does.
    """
    room = len(out)
    least = scores[out[held - 1]] if held == room else -np.inf
    for place in range(begin, end):
        score = scores[place]
        if held == room and score <= least:
            continue
        at = held if held < room else held - 1
        while at > 0 and scores[out[at - 1]] < score:
            out[at] = out[at - 1]
            at -= 1
        out[at] = place
        held = min(held + 1, room)
        least = scores[out[held - 1]]
    return held


@compiled
def choose(
    scores: NDArray[np.float64], groups: int, groups_kept: int, out: NDArray[np.int64]
) -> None:
    """Fill ``out`` [top_k] with the experts that group-limited routing takes.

    A group is worth the sum of its two best scores; experts of groups that are not among the
    ``groups_kept`` best are left out (DeepSeek-V3, arXiv:2412.19437, and its published model code).
    """
    if groups_kept == groups:
        _larger(scores, out, 0, 0, len(scores))
        return
    size = len(scores) // groups
    worth = np.empty(groups)
    best = np.empty(min(2, size), np.int64)
    for group in range(groups):
        _larger(scores, best, 0, group * size, (group + 1) * size)
        worth[group] = 0.0
        for n in range(len(best)):
            worth[group] += scores[best[n]]
    kept = np.empty(groups_kept, np.int64)
    _larger(worth, kept, 0, 0, groups)
    kept.sort()  # by id, so that of equal scores the lower id goes first
    held = 0
    for n in range(groups_kept):
        begin = kept[n] * size
        held = _larger(scores, out, held, begin, begin + size)


@compiled
def choose_all(
    scores: NDArray[np.float64], groups: int, groups_kept: int, out: NDArray[np.int64]
) -> None:
    """Run :func:`choose` on every row of ``scores`` [tokens, experts]."""
    for token in range(len(scores)):
        choose(scores[token], groups, groups_kept, out[token])


@compiled
def _domain_of(key: Bits, token: int, mix_upto: NDArray[np.float64]) -> int:
    drawn = np.float64(_word(key, np.uint64(token)) >> np.uint64(11)) * 2.0**-53
    domain = 0
    while domain < len(mix_upto) - 1 and drawn >= mix_upto[domain]:
        domain += 1
    return domain


@compiled
def fill_tokens(
    out: NDArray[np.uint16],
    first: int,
    keys: NDArray[np.uint64],
    weights: NDArray[np.float64],
    mix_upto: NDArray[np.float64],
    bias: NDArray[np.float64],
    groups: int,
    groups_kept: int,
    correlation: float,
    quantile: NDArray[np.float32],
    waits: NDArray[np.float64],
) -> None:
    """Let tokens of one step choose their experts.

    Parameters
    ----------
    out
        [tokens, layers, top_k] ids, filled, best first.
    first
        Number of the first token's place in the streams.
    keys
        [2] of the streams of domains and of noise.
    weights
        [domains, layers, experts] exponentials of the logits.
    mix_upto
        [domains] running share of the domains.
    bias
        [layers, experts] added to the scores for the choice alone.
    groups, groups_kept
        Of :func:`choose`.
    correlation
        Of the noise of one expert id from layer to layer, as normal scores.
    quantile
        [65536] of the normal distribution.
    waits
        Exponential waiting time by normal score, evenly spaced from -6 to 6.
    """
    tokens, layers, top_k = out.shape
    experts = weights.shape[2]
    words = np.empty((experts + 1) // 2, np.uint64)
    halves = words.view(np.uint32)
    scores = np.empty(experts)
    chosen = np.empty(top_k, np.int64)
    noise = np.zeros(experts)
    own = np.sqrt(1.0 - correlation * correlation)
    scale = (len(waits) - 1) / 12.0
    for token in range(tokens):
        domain = _domain_of(keys[0], first + token, mix_upto)
        for layer in range(layers):
            place = np.uint64((first + token) * layers + layer) * np.uint64(len(words))
            for n in range(len(words)):
                words[n] = _word(keys[1], place + np.uint64(n))
            weight = weights[domain, layer]
            for expert in range(experts):
                if correlation == 0.0:
                    wait = -np.log((halves[expert] + 0.5) * 2.0**-32)
                else:
                    fresh = np.float64(quantile[halves[expert] >> np.uint32(16)])
                    before = noise[expert] if layer else fresh
                    z = correlation * before + (own if layer else 1.0 - correlation) * fresh
                    noise[expert] = z
                    at = (min(max(z, -6.0), 6.0) + 6.0) * scale
                    low = min(int(at), len(waits) - 2)
                    wait = waits[low] + (at - low) * (waits[low + 1] - waits[low])
                # the sigmoid of a logit plus Gumbel noise, -log of an exponential time
                scores[expert] = weight[expert] / (weight[expert] + wait) + bias[layer, expert]
            choose(scores, groups, groups_kept, chosen)
            for n in range(top_k):
                out[token, layer, n] = chosen[n]
