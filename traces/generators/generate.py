"""Routing generated from a law: expert counts, or token by token."""

from collections.abc import Iterator

from traces.generators.law import Law
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace


def counts(
    law: Law, steps: int, *, start: int = 0, block_steps: int | None = None
) -> Iterator[RoutingTrace]:
    """Yield the counts of steps ``start`` to ``start + steps``, chunk by chunk.

    Totals are exact: ``step_tokens * top_k`` in every step and layer. The mean of a count is that
    of independent tokens with the probabilities of
    :func:`traces.generators.inclusion.inclusion`, and so is its variance, plus ``noise``. Counts
    with a mean below 16 are drawn from the binomial distribution (negative binomial with noise) by
    inversion. Others are drawn from the normal distribution corrected for skewness. Both are then
    conditioned on the total, which keeps mean and variance within a few per cent for a dozen
    experts and more, and is rough for two or three. Group-limited routing enters by its selection
    probabilities, estimated once from 2,048 tokens a layer and domain. The correlation of
    neighbouring layers of a token does not enter.

    Parameters
    ----------
    law
        The routing model.
    steps
        Number of steps.
    start
        First step. Skipping the steps before it takes a little time.
    block_steps
        Steps of a chunk; by default about 2 million counts. It changes no count.

    Raises
    ------
    ValueError
        If ``steps`` or ``block_steps`` is below 1, or ``start`` below 0.
    """
    from traces.generators.count_chunks import count_chunks

    return count_chunks(law, steps, start, block_steps)


def tokens(
    law: Law, steps: int, *, start: int = 0, block_steps: int | None = None
) -> Iterator[TokenTrace]:
    """Yield the same law token by token; parameters and errors as for :func:`counts`.

    Every token takes its top k of noisy scores, in groups if there are any. The only approximation
    is that Gumbel noise has 32 random bits, or 16 with ``layer_correlation``. Steps are numbered
    from the beginning of the trace. A chunk has by default about 2 million choices.
    """
    from traces.generators.token_chunks import token_chunks

    return token_chunks(law, steps, start, block_steps)


def trace(law: Law, steps: int, *, start: int = 0) -> RoutingTrace:
    """Return counts in one chunk; parameters and errors as for :func:`counts`."""
    (chunk,) = counts(law, steps, start=start, block_steps=steps)
    return chunk
