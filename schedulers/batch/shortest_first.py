"""Shortest prompt first, with ageing."""

from dataclasses import dataclass

import numpy as np

from lb.checked import checked_number
from schedulers.batch.chunked import filled
from schedulers.views import Ints, Queue


@dataclass(frozen=True)
class ShortestFirst:
    """Fill the step with the shortest prompts, and count waiting as being shorter.

    Shortest remaining first gives the least mean time to first token and starves long prompts;
    ageing bounds what one can be overtaken by. The last prompt is cut to the free tokens, as in
    :func:`schedulers.batch.chunked.chunked`. Equally short ones keep the order in which they came.

    Parameters
    ----------
    aging_tokens_per_s
        Tokens that a second in the queue takes off the length that a prompt is sorted by. 0: no
        ageing. 1,000 is an assumption of ours: a prompt of 8,000 tokens overtakes all new ones
        after 8 s.
    """

    aging_tokens_per_s: float = 1000.0

    def __call__(self, queue: Queue, step_tokens: int) -> Ints:
        """Choose tokens of each prompt.

        Returns
        -------
        ndarray
            [requests] tokens of each.

        Raises
        ------
        ValueError
            If ``aging_tokens_per_s`` is no number >= 0.
        """
        aging = checked_number(self.aging_tokens_per_s, "aging_tokens_per_s", at_least=0)
        order = np.argsort(queue.left_tokens - aging * queue.waited_s, kind="stable")
        tokens = np.zeros(len(queue), dtype=np.int64)
        tokens[order] = filled(queue.left_tokens[order], step_tokens - queue.decoding)
        return tokens
