"""A toy decode executor: sticky requests, heavy tails, one token a step, one barrier for all."""

from dataclasses import dataclass

import numpy as np

from schedulers.in_order import in_order
from schedulers.views import HOLD, Requests, Workers

STEP_S = 0.05


@dataclass(frozen=True)
class Toy:
    """What is run: 12 DP groups unless told, requests Poisson, lengths lognormal."""

    seed: int = 0
    steps: int = 1500
    groups: int = 12
    limit: int = 16
    rate: float = 0.45

    def requests(self):
        """[requests] step of arrival, prompt tokens, output tokens."""
        random = np.random.default_rng(self.seed)
        arrival = np.repeat(np.arange(self.steps), random.poisson(self.rate, self.steps))
        count = len(arrival)
        prompts = np.minimum(random.lognormal(6.5, 1.2, count), 30_000).astype(np.int64) + 1
        outputs = np.minimum(random.lognormal(5.3, 1.0, count), 4_000).astype(np.int64) + 1
        return arrival, prompts, outputs


def mean_of_highest_load(router, toy=Toy(), warm_up=300):
    """Run a toy; return the mean over steps of the highest load, and how many were assigned."""
    arrival, prompts, outputs = toy.requests()
    worker = np.full(len(arrival), HOLD, dtype=np.int64)
    done = np.zeros(len(arrival), dtype=np.int64)
    highest = []
    for step in range(toy.steps):
        waiting = np.flatnonzero((arrival <= step) & (worker == HOLD))
        running = (worker != HOLD) & (done < outputs)
        if len(waiting):
            view = _view(toy, worker, running, prompts + done, prompts + outputs)
            chosen = router(
                Requests(
                    waiting, (step - arrival[waiting]) * STEP_S, prompts[waiting], outputs[waiting]
                ),
                view,
            )
            worker[waiting] = chosen
            running = (worker != HOLD) & (done < outputs)
        load = np.bincount(worker[running], (prompts + done)[running], toy.groups)
        highest.append(load.max())
        done[running] += 1
    return float(np.mean(highest[warm_up:])), int((worker != HOLD).sum())


def _view(toy, worker, running, held, reserved):
    def per_group(weights):
        return np.bincount(worker[running], weights[running], toy.groups).astype(np.int64)

    nothing = np.zeros(toy.groups, dtype=np.int64)
    return Workers(
        running=per_group(np.ones(len(worker))),
        waiting=nothing,
        request_limit=nothing + toy.limit,
        waiting_tokens=nothing,
        kv_used=per_group(held),
        kv_reserved=per_group(reserved),
        kv_capacity=nothing + 10**7,
        up=nothing == 0,
        routed=int((worker != HOLD).sum()),
    )


def each_in_turn(requests, workers):
    """Round-robin over all groups, passing over those that are not open."""

    def rule(index, open_ones, totals):
        turn = (workers.routed + index + np.arange(len(open_ones))) % len(open_ones)
        return int(turn[open_ones[turn]][0])

    return in_order(requests, workers, rule)
