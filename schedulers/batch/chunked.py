"""Chunked prefill: prompts in order of arrival, the last one cut to the free tokens of the step."""

import numpy as np

from schedulers.views import Ints, Queue


def chunked(queue: Queue, step_tokens: int) -> Ints:
    """Fill what decoding leaves of the step with prompts, oldest first, and cut the last.

    Chunked prefill of Sarathi-Serve (arXiv:2403.02310): no step is longer than ``step_tokens``, so
    that sequences in decode never wait for a long prompt.

    Returns
    -------
    ndarray
        [requests] tokens of each.
    """
    return filled(queue.left_tokens, step_tokens - queue.decoding)


def filled(left_tokens: Ints, capacity: int) -> Ints:
    """Return [requests] tokens of each that fit into the capacity, one after another."""
    # Tokens that older prompts take first.
    before = np.cumsum(left_tokens) - left_tokens
    tokens: Ints = np.clip(capacity - before, 0, left_tokens)
    return tokens
