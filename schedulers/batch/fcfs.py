"""First come, first served: whole prompts in order of arrival."""

import numpy as np

from schedulers.views import Ints, Queue


def fcfs(queue: Queue, step_tokens: int) -> Ints:
    """Compute whole prompts, oldest first, up to the first that no longer fits.

    None is split and none overtakes. The oldest is computed whole even where it alone is longer
    than the step, as engines without chunked prefill do; a step that decoding fills computes none.

    Returns
    -------
    ndarray
        [requests] tokens of each: all that are left of it, or 0.
    """
    free = step_tokens - queue.decoding
    tokens = np.zeros(len(queue), dtype=np.int64)
    if free > 0:
        fit = int(np.searchsorted(np.cumsum(queue.left_tokens), free, side="right"))
        # The oldest goes whole even if it alone is longer than the step.
        count = max(fit, 1)
        tokens[:count] = queue.left_tokens[:count]
    return tokens
