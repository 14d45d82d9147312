"""Kinds of tokens: tokens that choose similar experts in all layers."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel

#: Tokens of the domain's mean that each kind is mixed with, so that no expert is impossible.
PRIOR_TOKENS = 2.0


@kernel
def _assign(
    experts: NDArray[np.integer],
    log_chance: NDArray[np.float64],
    log_share: NDArray[np.float64],
    label: NDArray[np.int64],
) -> int:
    """Give every token the kind under which its choices are likeliest; return how many changed."""
    tokens, layers, top_k = experts.shape
    changed = 0
    for token in range(tokens):
        best = 0
        likeliest = -np.inf
        for kind in range(len(log_share)):
            likely = log_share[kind]
            for layer in range(layers):
                for n in range(top_k):
                    likely += log_chance[kind, layer, experts[token, layer, n]]
            if likely > likeliest:
                likeliest = likely
                best = kind
        if best != label[token]:
            changed += 1
            label[token] = best
    return changed


def kinds_of(
    experts: NDArray[np.integer], num_experts: int, number: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return probabilities and share of each kind, by hard expectation maximisation.

    Parameters
    ----------
    experts
        [tokens, layers, top_k] ids.
    num_experts
        Of one layer.
    number
        Kinds; some may stay empty and are left out.
    seed
        Of the tokens that begin a kind each.

    Returns
    -------
    chance
        [kinds, layers, experts]; with the shares, their mean is that of all tokens.
    share
        [kinds] adding up to 1.
    """
    tokens, _, top_k = experts.shape
    mean = _counts(experts, np.zeros(tokens, np.int64), 1, num_experts) / tokens
    first = _apart(experts, num_experts, min(number, tokens), np.random.default_rng(seed))
    kinds = len(first)
    found = _counts(experts[first], np.arange(kinds), kinds, num_experts)
    size = np.ones(kinds)
    label = np.full(tokens, -1)
    for _ in range(30):
        # far more of the mean than later: rare choices of few tokens would decide everything
        chance = (found + 3 * mean) / (size + 3)[:, None, None]
        changed = _assign(
            experts, np.log(np.maximum(chance / top_k, 1e-12)), np.log(np.maximum(size, 0.5)), label
        )
        found = _counts(experts, label, kinds, num_experts)
        size = np.bincount(label, minlength=kinds).astype(np.float64)
        # Settled: not one token in 500 changed its kind.
        if changed <= tokens // 500:
            break
    some = size > 0
    whole = (size[some] + PRIOR_TOKENS)[:, None, None]
    share = size[some] + PRIOR_TOKENS
    return (found[some] + PRIOR_TOKENS * mean) / whole, share / share.sum()


def _apart(
    experts: NDArray[np.integer], num_experts: int, number: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return tokens to begin with: of eight drawn each time, the one least like those before."""
    layers = experts.shape[1]
    offset = np.arange(layers)[:, None] * num_experts
    chosen = np.zeros((number, layers * num_experts), np.float32)
    left = list(generator.permutation(len(experts))[: 8 * number])
    first: list[int] = []
    # Eight candidates for each start: the one least like the others is taken.
    for kind in range(number):
        drawn = left[: max(1, min(8, len(left) - (number - kind - 1)))]
        columns = (offset + experts[drawn]).reshape(len(drawn), -1)
        # Choices in common with the start that is most alike.
        similarity = chosen[:kind, columns].sum(axis=2).max(axis=0, initial=0)
        place = int(np.argmin(similarity))
        first.append(left.pop(place))
        del left[: min(len(drawn) - 1, len(left) - (number - kind - 1))]
        chosen[kind, columns[place]] = 1
    return np.array(first)


def _counts(
    experts: NDArray[np.integer], label: NDArray[np.int64], kinds: int, num_experts: int
) -> NDArray[np.float64]:
    """Return [kinds, layers, experts] how many tokens of each kind chose each expert."""
    counts = np.empty((kinds, experts.shape[1], num_experts))
    for layer in range(experts.shape[1]):
        cells = label[:, None] * num_experts + experts[:, layer]
        found = np.bincount(cells.ravel(), minlength=kinds * num_experts)
        counts[:, layer] = found.reshape(kinds, num_experts)
    return counts
