"""Selection probability of each expert in an interval of the timeline."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from traces.generators.choose import choose_all
from traces.generators.inclusion import fill_inclusion, inclusion, logits_of
from traces.generators.law import Law
from traces.generators.moments import elasticity
from traces.generators.timeline import PROBABILITIES, LawInterval, base, stream
from traces.generators.volatility import drifted_logits, noise_of

#: Tokens a layer and domain that group-limited routing is estimated from, without and with bias.
ESTIMATED_FROM = 2_048
ESTIMATED_FROM_WITH_BIAS = 16_384


class SelectionProbabilities:
    """Selection probabilities of one interval after another.

    The solution of one interval is the starting point of the search for the next.
    """

    def __init__(self, law: Law) -> None:
        self._law = law
        self._base = _effective(_still(law)).copy()
        self._still = inclusion(self._base, law.top_k)
        self._tau = np.zeros((law.domains, law.layers))
        self._out = np.empty(self._base.shape)
        self._of: LawInterval | None = None

    def mixed(self, interval: LawInterval) -> NDArray[np.float64]:
        """Return [layers, experts] probabilities for a token of the interval, domains mixed."""
        before, self._of = self._of, interval
        moves = interval.drift is not None
        # Probabilities change only with the drift, and where a shift moved experts.
        if before is None or before.place is not interval.place or moves:
            still = mixture(interval.mix, self._still)
            moved = drifted_logits(self._law, self._base, still, interval)
            for domain, now in enumerate(moved):
                fill_inclusion(now, self._law.top_k, self._tau[domain], self._out[domain])
        return mixture(interval.mix, self._out)

    def by_domain(self, interval: LawInterval) -> NDArray[np.float64]:
        """Return [domains, layers, experts] probabilities for a token of each domain."""
        self.mixed(interval)
        return self._out.copy()

    def variation(self, interval: LawInterval) -> NDArray[np.float64]:
        """Return [layers, experts] coefficients of variation of those probabilities.

        Call :meth:`mixed` first.
        """
        noise = noise_of(self._law, mixture(interval.mix, self._still), interval)
        if not self._law.noise:
            return noise
        # A chance near 1 hardly moves with its weight.
        sensitive = mixture(interval.mix, self._out * elasticity(self._out))
        return noise * sensitive / np.maximum(mixture(interval.mix, self._out), 1e-300)


def mixture(mix: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over domains of ``of`` [domains, layers, experts]."""
    # BLAS would wake all cores for this
    mixed = mix[0] * of[0]
    for share, chance in zip(mix[1:], of[1:], strict=True):
        mixed += share * chance
    return mixed


def _still(law: Law) -> Law:
    """Return the law without what mixes its domains, so that others of the same logits equal it."""
    return law.replace(mix=None, mix_sigma=0.0, schedule=None, burst_every=0.0)


@lru_cache(maxsize=4)
def _effective(law: Law) -> NDArray[np.float64]:
    """Return logits that give the probabilities of the law without groups and bias.

    They take a second to estimate, and a law is often asked for each of its domains alone.
    """
    logits = base(law)
    if law.groups_kept == law.groups and law.bias is None:
        return logits
    found = np.empty_like(logits)
    for domain in range(law.domains):
        generator = stream(law, PROBABILITIES, domain)
        for layer, row in enumerate(logits[domain]):
            bias = np.zeros(law.experts) if law.bias is None else np.asarray(law.bias)[layer]
            tokens = ESTIMATED_FROM if law.bias is None else ESTIMATED_FROM_WITH_BIAS
            chance = _estimated(law, row, bias, tokens, generator)
            found[domain, layer] = logits_of(chance)
            if law.bias is None:
                found[domain, layer] = _smoothed(law, row, found[domain, layer], chance)
    return found


def _smoothed(
    law: Law,
    logits: NDArray[np.float64],
    found: NDArray[np.float64],
    chance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return logits without most of the noise of their estimate.

    What groups do to an expert's logit is a matter of its group and of its own strength: a constant
    for each group and a parabola in the logit, by least squares.
    """
    group = np.arange(law.experts) * law.groups // law.experts
    columns = np.column_stack([np.eye(law.groups)[group], logits, logits**2])
    # a logit is known the better the more tokens chose its expert
    weight = np.sqrt(chance * (1 - chance))
    change, *_ = np.linalg.lstsq(columns * weight[:, None], (found - logits) * weight, rcond=None)
    return logits + columns @ change


def _estimated(
    law: Law,
    logits: NDArray[np.float64],
    bias: NDArray[np.float64],
    tokens: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    chosen = np.zeros(law.experts)
    weight = np.exp(logits)
    # Blocks, to bound the memory.
    block = max(1, min(tokens, 2**18 // law.experts))
    for begin in range(0, tokens, block):
        waits = generator.standard_exponential((min(block, tokens - begin), law.experts))
        # As in fill_tokens: the sigmoid of a logit plus Gumbel noise.
        scores = weight / (weight + waits) + bias
        out = np.empty((len(scores), law.top_k), np.int64)
        choose_all(scores, law.groups, law.groups_kept, out)
        chosen += np.bincount(out.ravel(), minlength=law.experts)
    # half a token each, so that nothing is quite impossible or certain
    return (chosen + 0.5) / (tokens + 1)
