"""Prompt tokens that one step computes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """Prompt tokens of one request in one step.

    Parameters
    ----------
    request, group
        Request, and the DP group that computes it.
    tokens
        Tokens of the chunk.
    before
        Tokens of the prompt before these.
    context
        Tokens that these attend to, summed over them.
    """

    request: int
    group: int
    tokens: int
    before: int
    context: float
