"""Prefill router: the DP group with the fewest waiting requests, decided at arrival."""

import numpy as np
from numpy.typing import NDArray

from schedulers.one_by_one import one_by_one
from schedulers.views import Assigning, Ints, Requests, Workers


def two_level(requests: Requests, workers: Workers) -> Ints:
    """Give each request, when it arrives, to the DP group with the fewest waiting requests.

    xDeepServe's first design (arXiv:2508.02520, section 4.3): a queue and a scheduler in every DP
    group, blind to how long prompts are, which makes stragglers. Among equally many, the group
    that runs fewer takes it (an assumption of ours).

    Returns
    -------
    ndarray
        [requests] DP group, or ``HOLD`` where none is open.
    """

    def score(assigning: Assigning, index: int, free: NDArray[np.bool_]) -> NDArray[np.float64]:
        # Totals count running requests, too.
        waiting = assigning.requests - assigning.workers.running
        return np.where(waiting == waiting[free].min(), assigning.requests, np.inf)

    return one_by_one(requests, workers, score)
