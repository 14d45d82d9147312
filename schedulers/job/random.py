"""Any open worker, by lot."""

from dataclasses import dataclass

import numpy as np

from lb.checked import checked_integer
from schedulers.views import HOLD, Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class Random:
    """Give each request to an open worker drawn at random, all equally likely.

    Draws depend on the seed and on how many requests were routed before, and on nothing else: the
    router keeps no generator between calls.

    Parameters
    ----------
    seed
        At least 0.
    """

    seed: int = 0

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Draw a worker for each request.

        Returns
        -------
        ndarray
            [requests] worker, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If ``seed`` is no integer >= 0.
        """
        seed = checked_integer(self.seed, "seed", at_least=0)
        draws = np.random.default_rng((seed, workers.routed)).random(len(requests))
        assigning = Assigning(workers)
        answer = np.full(len(requests), HOLD, dtype=np.int64)
        for index, prompt in enumerate(requests.prompt_tokens.tolist()):
            free = np.flatnonzero(assigning.open_for(prompt))
            if not len(free):
                continue
            answer[index] = worker = int(free[int(draws[index] * len(free))])
            assigning.add(worker, prompt, int(requests.output_tokens[index]))
        return answer
