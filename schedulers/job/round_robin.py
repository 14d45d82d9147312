"""Workers in turn."""

import numpy as np

from schedulers.views import HOLD, Assigning, Ints, Requests, Workers


def round_robin(requests: Requests, workers: Workers) -> Ints:
    """Give each request to the next open worker in turn, whatever its load.

    The n-th request routed (``workers.routed`` and those of this call) goes to the n-th open
    worker, modulo how many are open: the one behind a closed worker gets no double share.

    Returns
    -------
    ndarray
        [requests] worker, or ``HOLD`` where none is open.
    """
    assigning = Assigning(workers)
    answer = np.full(len(requests), HOLD, dtype=np.int64)
    turn = workers.routed
    for index, prompt in enumerate(requests.prompt_tokens.tolist()):
        free = np.flatnonzero(assigning.open_for(prompt))
        if not len(free):
            continue
        answer[index] = worker = int(free[turn % len(free)])
        assigning.add(worker, prompt, int(requests.output_tokens[index]))
        turn += 1
    return answer
