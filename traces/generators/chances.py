"""The chance of each expert in an interval, domains mixed."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traces.generators.inclusion import fill_inclusion, inclusion, logits_of
from traces.generators.restless import drifted, noise_of, restless
from traces.generators.sampling import choose_all
from traces.generators.timeline import CHANCES, Interval, base, stream

if TYPE_CHECKING:
    from traces.generators.law import Law

#: Tokens a layer and domain that group-limited routing is estimated from.
ESTIMATED_FROM = 8_192


class Chances:
    """Finds the chances of one interval after another; a search begins where the last one ended."""

    def __init__(self, law: "Law") -> None:
        self._law = law
        self._base = _effective(law, base(law))
        self._still = inclusion(self._base, law.top_k)
        self._restless = restless(law, self._still)
        self._tau = np.zeros((law.domains, law.layers))
        self._out = np.empty(self._base.shape)
        self._of: Interval | None = None

    def mixed(self, interval: Interval) -> NDArray[np.float64]:
        """Return [layers, experts] chances of a token of the interval, whatever its domain."""
        before, self._of = self._of, interval
        if before is None or before.place is not interval.place or interval.drift is not None:
            moved = drifted(self._law, self._base, self._restless, interval)
            for domain, now in enumerate(moved):
                fill_inclusion(now, self._law.top_k, self._tau[domain], self._out[domain])
        return mixture(interval.mix, self._out)

    def noise(self, interval: Interval) -> NDArray[np.float64]:
        """Return [layers, experts] coefficients of variation of the weights, step by step."""
        return noise_of(self._law, mixture(interval.mix, self._still), interval)


def mixture(mix: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over domains of ``of`` [domains, layers, experts]."""
    # BLAS would wake all cores for this
    mixed = mix[0] * of[0]
    for share, chance in zip(mix[1:], of[1:], strict=True):
        mixed += share * chance
    return mixed


def _effective(law: "Law", logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits that bring about, without groups and bias, the chances that the law has."""
    if law.groups_kept == law.groups and law.bias is None:
        return logits
    bias = np.zeros((law.layers, law.experts)) if law.bias is None else np.asarray(law.bias)
    found = np.empty_like(logits)
    for domain in range(law.domains):
        generator = stream(law, CHANCES, domain)
        for layer in range(law.layers):
            chance = _estimated(law, logits[domain, layer], bias[layer], generator)
            found[domain, layer] = logits_of(chance)
    return found


def _estimated(
    law: "Law",
    logits: NDArray[np.float64],
    bias: NDArray[np.float64],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    chosen = np.zeros(law.experts)
    weight = np.exp(logits)
    block = max(1, min(ESTIMATED_FROM, 2**20 // law.experts))
    for begin in range(0, ESTIMATED_FROM, block):
        tokens = min(block, ESTIMATED_FROM - begin)
        waits = generator.standard_exponential((tokens, law.experts))
        scores = weight / (weight + waits) + bias
        out = np.empty((tokens, law.top_k), np.int64)
        choose_all(scores, law.groups, law.groups_kept, out)
        chosen += np.bincount(out.ravel(), minlength=law.experts)
    # half a token each, so that nothing is quite impossible or certain
    return (chosen + 0.5) / (ESTIMATED_FROM + 1)
