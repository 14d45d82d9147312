"""Chunks of a long file as traces; errors name the place in the whole file."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces import routing, tokens
from traces.formats.about import About
from traces.header import check_range, whole_numbers
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace, check_distinct

CHUNK_BYTES = 16 * 2**20
STEP_COUNTS = 2**24  # far above any model; axes in another order are above it


def counts_chunk(
    counts: ArrayLike, first_step: int, about: About, top_k: int, **fields: Any
) -> RoutingTrace:
    """Return [steps, layers, experts] as a trace.

    Raises
    ------
    ValueError
        As :class:`traces.RoutingTrace` does, the steps numbered from ``first_step``; or if there
        are other experts than ``about`` says.
    """
    about.check_experts(np.shape(counts)[-1])
    try:
        return RoutingTrace(np.asarray(counts), about.model, top_k, about.phase, **fields)
    except ValueError:
        found = whole_numbers(counts, "counts", routing.AXES, first_step)
        hint = "a count is a number of tokens"
        check_range(found, "counts", routing.AXES, 2**31, hint, first_step)
        raise


def tokens_chunk(
    experts: NDArray[Any], first_token: int, about: About, num_experts: int, **fields: Any
) -> TokenTrace:
    """Return [tokens, layers, choices] as a trace.

    Raises
    ------
    ValueError
        As :class:`traces.TokenTrace` does, the tokens numbered from ``first_token``.
    """
    try:
        return TokenTrace(experts, num_experts, about.model, about.phase, **fields)
    except ValueError:
        ids = whole_numbers(experts, "experts", tokens.AXES, first_token)
        hint = "an id counts from 0; give the model's number of experts"
        check_range(ids, "experts", tokens.AXES, num_experts, hint, first_token)
        check_distinct(ids, first_token)
        raise


def steps_at_once(layers: int, experts: int, item_bytes: int = 4) -> int:
    """Return how many steps of counts make a chunk of about :data:`CHUNK_BYTES`.

    Raises
    ------
    ValueError
        If one step has more than :data:`STEP_COUNTS` counts.
    """
    if layers * experts > STEP_COUNTS:
        raise ValueError(
            f"one step has {layers} layers of {experts} experts, together more than {STEP_COUNTS}; "
            "the axes are [steps, layers, experts]"
        )
    return max(1, CHUNK_BYTES // max(1, layers * experts * item_bytes))


def in_steps(trace: RoutingTrace | TokenTrace | StoredTrace) -> RoutingTrace | StoredTrace:
    """Return what a format of counts can write: tokens are counted.

    Raises
    ------
    ValueError
        If the tokens are not in steps.
    """
    return trace.counts() if isinstance(trace, TokenTrace) else trace
