"""Tokens of a law, chunk by chunk."""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from traces.generators.count_chunks import checked_block, provenance_of
from traces.generators.fill_tokens import fill_tokens
from traces.generators.inclusion import inclusion
from traces.generators.law import Law
from traces.generators.moments import normal_quantiles
from traces.generators.selection_probabilities import mixture
from traces.generators.timeline import DOMAINS, NOISE, TOKENS, base, intervals, key, stream
from traces.generators.volatility import drifted_logits, noise_of
from traces.tokens import TokenTrace


def token_chunks(law: Law, steps: int, start: int, block_steps: int | None) -> Iterator[TokenTrace]:
    """Yield tokens; see :func:`traces.generators.tokens`."""
    share = law.prefill_share
    usual = max(1, round((1 - share) * law.step_tokens + share * law.prefill_tokens))
    size = checked_block(steps, start, block_steps, usual * law.layers * law.top_k)
    provenance = provenance_of(law)
    held: list[NDArray[np.uint16]] = []
    first = start
    for step, experts in _steps(law, start, start + steps):
        held.append(experts)
        if len(held) == size or step == start + steps - 1:
            yield TokenTrace(
                np.concatenate(held),
                law.experts,
                law.model,
                law.trace_phase,
                np.repeat(np.arange(first, step + 1), [len(one) for one in held]),
                provenance=provenance,
            )
            held, first = [], step + 1


def _steps(law: Law, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Yield the number and the choices [tokens, layers, top_k] of every step."""
    logits = base(law)
    still = inclusion(logits, law.top_k)
    kinds = (law.step_tokens, law.prefill_tokens)
    keys = np.array([key(law, DOMAINS), key(law, TOKENS)])
    bias = np.zeros((law.layers, law.experts)) if law.bias is None else np.asarray(law.bias)
    waits = _waits() if law.layer_correlation else np.zeros(2)
    for interval in intervals(law, stop):
        if interval.stop <= start:
            continue
        mixed = mixture(interval.mix, still)
        weights = np.exp(drifted_logits(law, logits, mixed, interval))
        noise = noise_of(law, mixed, interval)
        upto = np.cumsum(interval.mix)
        for step in range(max(start, interval.start), min(stop, interval.stop)):
            tokens = kinds[interval.kind[step - interval.start]]
            out = np.empty((tokens, law.layers, law.top_k), np.uint16)
            fill_tokens(
                out,
                # Every step has room for the larger kind, so that its place does not depend on the
                # steps before.
                step * max(kinds),
                keys,
                weights * _noise(law, step, noise) if law.noise else weights,
                upto,
                bias,
                law.groups,
                law.groups_kept,
                law.layer_correlation,
                normal_quantiles(),
                waits,
            )
            yield step, out


def _noise(law: Law, step: int, noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return factors [layers, experts] with mean 1: gamma distributed, as those of the counts."""
    shape = 1 / np.maximum(noise, 1e-6) ** 2
    return np.maximum(stream(law, NOISE, step).standard_gamma(shape) / shape, 1e-30)


def _waits() -> NDArray[np.float64]:
    """Return exponential waiting times by normal score, evenly spaced from -6 to 6."""
    below = NormalDist().cdf
    return np.array([-np.log(below(-score)) for score in np.linspace(-6, 6, 4097)])
