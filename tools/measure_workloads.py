"""Measure how balanced the next window is, by whether it has the sequences of the history.

Prints the table of docs/workloads.md: bundled tokens of DeepSeek-V2-Lite, 256 concurrent sequences,
windows of 32 steps, 16 ranks of 5 slots, local search, even shares and the best split.
"""

from dataclasses import replace

import numpy as np

import lb
import traces
from traces import RequestTrace
from traces.workload import ContinuousBatching, RecordedRouting, Workload

TASKS = ("intent", "summary", "translation")
SEQUENCES, STEPS, SEEDS = 256, 32, 8


def main() -> None:
    """Print a row for each domain and for the three mixed."""
    recorded = {task: traces.load(f"dsv2lite-{task}") for task in TASKS}
    for tasks in (*((task,) for task in TASKS), TASKS):
        lengths = (np.ones(SEQUENCES, int), np.full(SEQUENCES, STEPS))
        domain = np.arange(SEQUENCES) % len(tasks)
        requests = RequestTrace(np.zeros(SEQUENCES), *lengths, domain=domain, domain_names=tasks)
        routing = RecordedRouting({task: recorded[task] for task in tasks})
        workload = Workload(requests, routing, ContinuousBatching(SEQUENCES))
        texts = []
        for apart in (True, False):
            rows = [balancedness(replace(workload, seed=seed), apart) for seed in range(SEEDS)]
            texts.append(", ".join(f"{value:.3f}" for value in np.mean(rows, axis=0)))
        print(f"| {', '.join(tasks)} | {' | '.join(texts)} |")


def balancedness(workload: Workload, apart: bool) -> tuple[float, float]:
    """Return the mean over layers of the judged window, with even shares and the best split."""
    pools = workload.split() if apart else (workload, replace(workload, seed=workload.seed + 1000))
    history, judged = (next(pool.windows(window_steps=STEPS)).counts for pool in pools)
    placement = lb.make("local-search")(lb.Problem(history, 16, 5))
    share = lb.make_dispatcher("optimal")(placement, judged)
    return (
        float(placement.balancedness(judged).mean()),
        float(placement.balancedness(judged, share).mean()),
    )


if __name__ == "__main__":
    main()
