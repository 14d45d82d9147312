"""Decode router: minimise the highest load of all DP groups over the coming steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedulers.decode.admission import admission_order
from schedulers.in_order import in_order
from schedulers.views import HOLD, Assigning, Floats, Ints, Requests, Workers


@dataclass(frozen=True)
class BalanceAhead:
    """BalanceRoute with a short discounted look-ahead (BR-H, arXiv:2605.06113).

    The score of :class:`schedulers.decode.balance.Balance` at several steps from now, weighed by
    ``discount ** step``, on loads as they are expected then. The paper asks a classifier which
    requests terminate; we have the predicted output lengths, and of running requests only their
    sums, see :func:`expected_load`. Ours are also the evenly spaced points, the defaults, and that
    those to be admitted are chosen by their discounted mean size and load. Of several workers
    that overflow equally little the one of the lowest mean load is taken.

    Parameters
    ----------
    horizon
        Steps to look ahead, at least 0.
    discount
        What a step counts relative to the one before it, 0 < discount <= 1.
    points
        At how many steps, evenly spaced from 0 to the horizon, loads are compared; at least 1.
    patience_s
        Seconds of waiting after which a request is admitted before all younger ones.
    """

    horizon: int = 64
    discount: float = 0.98
    points: int = 8
    patience_s: float = 5.0

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Return [requests] the worker of each, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        self._check()
        up = workers.up
        if not up.any():
            return np.full(len(requests), HOLD, dtype=np.int64)
        # Points in time, in steps from now, and what each of them counts.
        steps = np.linspace(0.0, self.horizon, self.points)
        weight = self.discount**steps
        weight /= weight.sum()
        load, size = expected_load(workers, steps), expected_size(requests, steps)
        highest = load[up].max(axis=0)
        # Stage 1: admission by discounted means, since the score of one size needs one number.
        order = admission_order(
            size @ weight,
            load[up] @ weight,
            np.maximum(workers.request_limit - workers.running - workers.waiting, 0)[up],
            requests.waited_s >= self.patience_s,
        )

        def rule(index: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
            # Stage 2: the overflow at each point, discounted.
            overflow = np.maximum(load + (size[index] - highest), 0.0) @ weight
            best = open_ones & (overflow == overflow[open_ones].min())
            worker = int(np.where(best, load @ weight, np.inf).argmin())
            # Requests of the same call see what was assigned before them, over all points.
            load[worker] += size[index]
            np.maximum(highest, load[worker], out=highest)
            return worker

        return in_order(requests, workers, rule, order)

    def _check(self) -> None:
        if self.horizon < 0 or self.points < 1:
            raise ValueError(
                f"horizon = {self.horizon}, points = {self.points}; horizon >= 0 and points >= 1 "
                "must hold"
            )
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount = {self.discount}; 0 < discount <= 1 must hold")
        if not self.patience_s >= 0:
            raise ValueError(f"patience_s = {self.patience_s}; patience_s >= 0 must hold")


def expected_load(workers: Workers, steps: Floats) -> Floats:
    """Return [workers, steps] tokens of key-value cache that present requests will hold.

    A request holds as much as the mean one of its worker and a token more after each step. It is
    still there after h steps with probability exp(-h / left), where left is the mean of tokens
    still expected, (kv_reserved - kv_used) / requests, at least 1: remaining lengths as if they
    were exponential, an assumption of ours for want of single requests in the view.

    Parameters
    ----------
    workers
        As a router gets them.
    steps
        [steps] how far ahead.
    """
    requests = (workers.running + workers.waiting)[:, None]
    each = 1.0 / np.maximum(requests, 1)
    left = np.maximum((workers.kv_reserved - workers.kv_used)[:, None] * each, 1.0)
    alive: Floats = requests * np.exp(-steps / left)
    return alive * (workers.kv_used[:, None] * each + steps)


def expected_size(requests: Requests, steps: Floats) -> Floats:
    """Return [requests, steps] tokens that each holds: one more a step, until it is finished."""
    prompt, output = requests.prompt_tokens[:, None], requests.output_tokens[:, None]
    return np.where(steps < np.maximum(output, 1), prompt + steps, 0.0)
