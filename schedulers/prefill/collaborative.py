"""Prefill router: one pool for all DP groups, assigned before each step by a cost model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer, checked_number
from schedulers.in_order import in_order
from schedulers.views import Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class Collaborative:
    """Assign a step's worth of prompts, longest first, to the group that finishes first.

    xDeepServe's single-level design (arXiv:2508.02520, section 4.3): all DP groups share tokenised
    requests, and a leader assigns batches before every step by a cost model that knows prefix
    hits. The formula is not published; ours is longest processing time first: of the oldest
    requests, as many as fit into the step, the dearest goes first, each to the group that
    finishes it soonest. The others stay in the pool, so that the next step decides anew; as those
    are taken by age, none starves.

    Parameters
    ----------
    seconds_per_token
        Time of a prompt token that is not cached, all but attention. 3e-4: 3,344 tokens/s a die
        (CloudMatrix-Infer, arXiv:2506.12708, half of 6,688 a 910C).
    seconds_per_pair
        Time of attention for a pair of a query and a key before it. 2.5e-8: DeepSeek-V3's 61 layers
        of 128 heads, 2 x (192 + 128) operations each, at 200 TFLOPS.
    step_tokens
        Tokens that a DP group computes in one step; no more are dealt out than fill it. A longer
        prompt fills one step of one group.
    """

    seconds_per_token: float = 3e-4
    seconds_per_pair: float = 2.5e-8
    step_tokens: int = 8192
    pooled: ClassVar[bool] = True

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Choose a DP group for each request that fits into the step.

        Returns
        -------
        ndarray
            [requests] DP group, or ``HOLD`` where none is open or the step is full.

        Raises
        ------
        ValueError
            If a price is no number >= 0, or ``step_tokens`` no integer >= 1.
        """
        per_token = checked_number(self.seconds_per_token, "seconds_per_token", at_least=0)
        per_pair = checked_number(self.seconds_per_pair, "seconds_per_pair", at_least=0)
        taken = self._of_this_step(requests, workers)
        prompt = requests.prompt_tokens[taken]
        hit = np.zeros((len(taken), len(workers)), dtype=np.int64)
        if requests.cached_tokens is not None:
            hit = requests.cached_tokens[taken]
        # a query has all keys before it: (prompt² - hit²) / 2 pairs, those of the hit left out
        cost = (prompt[:, None] - hit) * (per_token + per_pair / 2 * (prompt[:, None] + hit))
        # Prompts that were assigned before are priced without attention: their lengths are not
        # known here.
        finish = per_token * workers.waiting_tokens
        row_of = {index: row for row, index in enumerate(taken.tolist())}

        def soonest(index: int, free: NDArray[np.bool_], totals: Assigning) -> int:
            row = row_of[index]
            worker = int(np.where(free, finish + cost[row], np.inf).argmin())
            finish[worker] += cost[row, worker]
            return worker

        # By the cost on the group with the best hit, dearest first.
        dearest = np.argsort(-cost.min(axis=1, initial=np.inf), kind="stable")
        return in_order(requests, workers, soonest, taken[dearest].tolist())

    def _of_this_step(self, requests: Requests, workers: Workers) -> Ints:
        """Return indices of the oldest requests that fit anywhere, as many as fill the step."""
        step = checked_integer(self.step_tokens, "step_tokens", at_least=1)
        takes = workers.up & (workers.running + workers.waiting < workers.request_limit)
        free = int(np.maximum(step - workers.waiting_tokens, 0)[takes].sum())
        widest = int((workers.kv_capacity - workers.kv_used)[takes].max(initial=0))
        # A prompt that fits into no group's free cache must not block the step.
        fits = np.flatnonzero(requests.prompt_tokens < widest)
        left = requests.prompt_tokens[fits]
        if requests.cached_tokens is not None and len(workers):
            # What is left of it where its hit is longest.
            left = left - requests.cached_tokens[fits].max(axis=1)
        # Oldest first until the step is full; a long prompt fills one step, no more.
        filled = np.cumsum(np.minimum(left, step)) - np.minimum(left, step)
        return fits[filled < free]
