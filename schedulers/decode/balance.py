"""Decode router: minimise the highest current load of all DP groups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedulers.decode.admission import admission_order
from schedulers.in_order import in_order, lowest
from schedulers.views import HOLD, Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class Balance:
    """BalanceRoute without prediction (BR-0, arXiv:2605.06113).

    A step waits for the DP group that reads most key-value cache, so a request costs little where
    it fits below the highest load (the safe margin), and much where it overflows it: the score in
    :func:`schedulers.decode.admission.f_score`. In the first stage
    :func:`~schedulers.decode.admission.admission_order` chooses who is admitted and in which
    order; in the second each goes where its score is best, which is where it overflows least.

    Ours, where the paper leaves it open or we did not see it: load is ``kv_used``, in tokens; of
    several workers whose margin holds the request that with the fewest requests is taken, since
    loads grow by a token a step for each; ``patience_s`` keeps large requests from being passed
    over for ever.

    Parameters
    ----------
    patience_s
        Seconds of waiting after which a request is admitted before all younger ones.
    """

    patience_s: float = 5.0

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Return [requests] the worker of each, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If ``patience_s`` is not at least 0.
        """
        if not self.patience_s >= 0:
            raise ValueError(f"patience_s = {self.patience_s}; patience_s >= 0 must hold")
        up = workers.up
        if not up.any():
            return np.full(len(requests), HOLD, dtype=np.int64)
        # Stage 1: who is admitted, and in which order.
        order = admission_order(
            requests.prompt_tokens.astype(np.float64),
            workers.kv_used[up].astype(np.float64),
            np.maximum(workers.request_limit - workers.running - workers.waiting, 0)[up],
            requests.waited_s >= self.patience_s,
        )

        def rule(index: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
            return _least_overflow(int(requests.prompt_tokens[index]), open_ones, totals)

        # Stage 2: where each goes, with those before it counted in.
        return in_order(requests, workers, rule, order)


def _least_overflow(prompt: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
    """Return where the score is best: for one request it falls with the overflow alone."""
    # Workers that are down hold nobody up.
    highest = totals.kv_used[totals.workers.up].max()
    # How far the worker would rise above the highest load.
    overflow = np.maximum(totals.kv_used + (prompt - highest), 0)
    best = overflow[lowest(overflow, open_ones)]
    # Loads grow by a token a step for each request: on a tie, the fewest requests.
    return lowest(totals.requests, open_ones & (overflow == best))
