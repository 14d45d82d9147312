"""The inner loop of tokens: each adds noise to its logits and takes its experts."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.choose import choose
from traces.generators.kernel import kernel, part
from traces.generators.random_bits import Bits, word


@part
def _domain_of(key: Bits, token: int, mix_upto: NDArray[np.float64]) -> int:
    drawn = np.float64(word(key, np.uint64(token)) >> np.uint64(11)) * 2.0**-53
    domain = 0
    while domain < len(mix_upto) - 1 and drawn >= mix_upto[domain]:
        domain += 1
    return domain


@kernel
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
    # Keeps the variance of the noise at 1 from layer to layer.
    own = np.sqrt(1.0 - correlation * correlation)
    scale = (len(waits) - 1) / 12.0
    for token in range(tokens):
        domain = _domain_of(keys[0], first + token, mix_upto)
        for layer in range(layers):
            place = np.uint64((first + token) * layers + layer) * np.uint64(len(words))
            for n in range(len(words)):
                words[n] = word(keys[1], place + np.uint64(n))
            weight = weights[domain, layer]
            for expert in range(experts):
                if correlation == 0.0:
                    wait = -np.log((halves[expert] + 0.5) * 2.0**-32)
                else:
                    fresh = np.float64(quantile[halves[expert] >> np.uint32(16)])
                    before = noise[expert] if layer else fresh
                    # In the first layer both parts are the fresh score.
                    z = correlation * before + (own if layer else 1.0 - correlation) * fresh
                    noise[expert] = z
                    # Looked up and interpolated: cheaper than a normal distribution function.
                    at = (min(max(z, -6.0), 6.0) + 6.0) * scale
                    low = min(int(at), len(waits) - 2)
                    wait = waits[low] + (at - low) * (waits[low + 1] - waits[low])
                # the sigmoid of a logit plus Gumbel noise, -log of an exponential time
                scores[expert] = weight[expert] / (weight[expert] + wait) + bias[layer, expert]
            choose(scores, groups, groups_kept, chosen)
            for n in range(top_k):
                out[token, layer, n] = chosen[n]
