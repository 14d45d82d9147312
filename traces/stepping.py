"""Split any routing trace into steps, chunk by chunk."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from traces.header import checked_integer
from traces.routing import RoutingTrace
from traces.store import StoredTrace, counted
from traces.tokens import TokenTrace

AnyTrace = RoutingTrace | TokenTrace | StoredTrace


def has_steps(trace: AnyTrace) -> bool:
    """Whether the trace says which step each of its rows belongs to."""
    if isinstance(trace, StoredTrace):
        return trace.has_steps
    return isinstance(trace, RoutingTrace) or trace.step is not None


def num_tokens(trace: AnyTrace) -> int | None:
    """Return the tokens of a trace of tokens, None for one that counts."""
    if isinstance(trace, StoredTrace):
        return trace.num_rows if trace.kind == "token" else None
    return trace.num_tokens if isinstance(trace, TokenTrace) else None


def num_steps(trace: AnyTrace, step_tokens: int | None = None) -> int:
    """Return how many steps :func:`in_steps` makes; parameters and errors are the same."""
    check_step_tokens(trace, step_tokens)
    if step_tokens is not None:
        tokens = num_tokens(trace)
        assert tokens is not None
        return tokens // step_tokens
    return trace.num_steps


def in_steps(trace: AnyTrace, step_tokens: int | None = None) -> Iterator[RoutingTrace]:
    """Yield the counts of all steps in order, in bounded memory where the trace is stored.

    Parameters
    ----------
    trace
        Counts, or tokens.
    step_tokens
        Tokens of a step, for tokens that are in none; a last, incomplete step is left out.

    Raises
    ------
    ValueError
        If ``step_tokens`` is missing, not wanted, below 1, or above the tokens that there are.
    """
    check_step_tokens(trace, step_tokens)
    if step_tokens is None:
        yield from trace.blocks()
        return
    assert not isinstance(trace, RoutingTrace)
    yield from counted(_cut(trace, step_tokens))


def parts(trace: TokenTrace | StoredTrace) -> Iterator[TokenTrace]:
    """Yield the tokens of a trace of tokens, chunk by chunk."""
    if isinstance(trace, TokenTrace):
        yield trace
        return
    for part in trace.parts():
        assert isinstance(part, TokenTrace)
        yield part


def whole_samples(trace: TokenTrace | StoredTrace) -> Iterator[TokenTrace]:
    """Yield the tokens as :func:`parts` does, but never cut within a recorded sample."""
    if isinstance(trace, TokenTrace):
        yield trace
    else:
        yield from trace.whole_samples()


def _cut(trace: TokenTrace | StoredTrace, step_tokens: int) -> Iterator[TokenTrace]:
    tokens = num_tokens(trace)
    assert tokens is not None
    whole, start = tokens - tokens % step_tokens, 0
    for part in parts(trace):
        kept = min(part.num_tokens, whole - start)
        if kept > 0:  # the rest is still read, so that a stored trace's hash is checked
            yield replace(
                part,
                experts=part.experts[:kept],
                step=np.arange(start, start + kept) // step_tokens,
                source_rank=None,
                sample_lengths=None,
            )
        start += part.num_tokens


def check_step_tokens(trace: AnyTrace, step_tokens: int | None) -> None:
    """Raise the errors of :func:`in_steps`."""
    if step_tokens is None:
        if not has_steps(trace):
            raise ValueError("the tokens are not in steps; give step_tokens, the tokens of a step")
        return
    if has_steps(trace):
        raise ValueError(
            f"step_tokens = {step_tokens} is for tokens that are in no steps; these are, leave it"
        )
    tokens = num_tokens(trace)
    assert tokens is not None
    if not 1 <= checked_integer(step_tokens, "step_tokens") <= tokens:
        raise ValueError(
            f"step_tokens = {step_tokens} breaks 1 <= step_tokens <= {tokens} recorded tokens"
        )
