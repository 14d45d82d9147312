"""What a task executor computes in one step, and what that costs."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(eq=False)
class Work:
    """One step of a task executor, over its DP groups.

    Parameters
    ----------
    prefill_tokens
        [groups] prompt tokens computed.
    prefill_context
        [groups] context that these attend to, summed over the tokens.
    sequences
        [groups] sequences in decode; each computes 1 + drafts query tokens.
    decode_context
        [groups] tokens of context, summed over the sequences.
    condition_tokens
        [conditions] query tokens of the step by the condition of the routing that they have.
    time_s
        When the step begins.
    """

    prefill_tokens: Array
    prefill_context: Array
    sequences: Array
    decode_context: Array
    condition_tokens: NDArray[np.int64]
    time_s: float = 0.0


class Cost(NamedTuple):
    """Seconds of one step.

    Parameters
    ----------
    total
        All of it, the host's gap included.
    attention_max, attention_mean
        Attention of the slowest DP group and of the mean one, over all layers.
    experts_max, experts_mean
        Experts of the slowest rank of every layer, and of the mean one, over all layers.
    communication
        Dispatch and combine (A2E and E2A), over all layers.
    """

    total: float
    attention_max: float
    attention_mean: float
    experts_max: float
    experts_mean: float
    communication: float


class Price(Protocol):
    """Prices the steps of one task executor; knows its placement and draws its expert load."""

    def __call__(self, work: Work, /) -> Cost:
        """Return what a step costs; the expert load that it drew is added to ``seen``."""
        ...
