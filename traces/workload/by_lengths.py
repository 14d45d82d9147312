"""Routing by a law whose loads depend on the lengths of a request."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from traces.workload.chance_sampler import ALL_ALIKE
from traces.workload.condition_routing import ConditionRouting
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.token_filter import TokenFilter

#: Phase, prompt tokens, output tokens and domain to [layers, experts] chances.
ChanceOf = Callable[[str, int, int, str | None], NDArray[np.float64]]


def by_lengths(
    chance: ChanceOf,
    top_k: int,
    *,
    prompt_tokens: Sequence[int] = (1, 131_072),
    output_tokens: Sequence[int] = (1, 32_768),
    domains: Sequence[str] = (),
    model: str = "generated",
    kinds: SequenceKinds = ALL_ALIKE,
) -> ConditionRouting:
    """Return the routing of a law that knows the loads at any phase, lengths and domain.

    Requests are sorted into bins of both lengths. Those of a bin have the loads of its middle, the
    geometric mean of its edges. Requests outside all bins belong to the nearest.

    Parameters
    ----------
    chance
        The law; it is asked for each phase, bin and domain once.
    top_k
        Experts that a token chooses in a layer.
    prompt_tokens, output_tokens
        Edges of the bins, rising from 1 or more; two for a single bin.
    domains
        Names of the domains that the law tells apart; none if it does not.
    model
        Name of the model.
    kinds
        How sequences of one condition differ.

    Raises
    ------
    ValueError
        If edges do not rise or are fewer than two, or chances do not add up to ``top_k``.
    """
    prompts, outputs = _bins(prompt_tokens, "prompt_tokens"), _bins(output_tokens, "output_tokens")
    chances = {
        TokenFilter(domain, phase, prompt[0], output[0]): chance(
            phase, prompt[1], output[1], domain
        )
        for domain in (domains or (None,))
        for phase in ("prefill", "decode")
        for prompt in prompts
        for output in outputs
    }
    return ConditionRouting(chances, top_k, model, kinds)


def _bins(edges: Sequence[int], name: str) -> list[tuple[tuple[float, float], int]]:
    """Return bounds and middle of each bin; the outer ones have no end."""
    if len(edges) < 2 or edges[0] < 1 or not (np.diff(edges) > 0).all():
        raise ValueError(
            f"{name} = {tuple(edges)}; give two edges or more that rise from 1 or more"
        )
    inner = edges[1:-1]
    bounds = pairwise((0.0, *map(float, inner), np.inf))
    middles = [round(float(np.sqrt(low * high))) for low, high in pairwise(edges)]
    return list(zip(bounds, middles, strict=True))
