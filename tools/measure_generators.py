"""Measure how fast laws make counts, and how near a fitted law comes to the bundled recordings.

Prints steps a second (least time of five), and the tables of docs/generating.md: next-window
balancedness recorded, from any first step, and generated; and the statistics that are met.
"""

import itertools
import time

import numpy as np

import lb
import traces
from traces import generators
from traces.generators import Law, compare, fit

DOMAINS = ("dsv2lite-intent", "dsv2lite-summary", "dsv2lite-translation")
SPEEDS = {
    "nothing drifts": {},
    "drift": {"drift_sigma": 0.5},
    "drift and noise": {"drift_sigma": 0.5, "noise": 0.1},
    "drift, three domains": {
        "drift_sigma": 0.5,
        "domains": 3,
        "affinity": 0.5,
        "mix_sigma": 0.3,
    },
    "drift, 17,280 tokens": {"drift_sigma": 0.5, "step_tokens": 17_280},
    "drift, 128 tokens": {"drift_sigma": 0.5, "step_tokens": 128},
}


def main() -> None:
    """Print everything."""
    for name, changes in SPEEDS.items():
        law = Law(layers=58, experts=256, top_k=8, **changes)
        print(f"{name}: {_speed(law, 512 if 'step_tokens' in changes else 4096):.0f} steps/s")
    tokens = traces.concat([traces.load(name, "routing") for name in DOMAINS]).split(256)
    recordings = {name: traces.load(name, "routing").split(256).counts() for name in DOMAINS}
    _balance("three domains", tokens.counts(), 8, 6)
    for name, trace in recordings.items():
        _balance(name, trace, 8, 6)
    _balance("olmoe-domains", traces.load("olmoe-domains", "routing"), 1, 40)
    for kinds in (1, 48):
        generated = next(generators.tokens(fit(tokens, token_kinds=kinds), 97, block_steps=97))
        print(f"{kinds} kinds of tokens at most:")
        for row in compare(tokens, generated):
            met = "met" if row.met else "not met"
            print(f"  {row.name}: {row.recorded:.3f}, generated {row.generated:.3f}, {met}")


def _speed(law: Law, steps: int) -> float:
    for _ in generators.counts(law, 1):  # compiles
        pass
    least = np.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in generators.counts(law, steps):
            pass
        least = min(least, time.perf_counter() - start)
    return steps / least


def _balance(name: str, trace: traces.RoutingTrace, window_steps: int, seeds: int) -> None:
    law = fit(trace)
    for solver in ("eplb", "greedy"):
        starts = [_next(trace.slice(start), solver, window_steps) for start in range(window_steps)]
        made = [
            _next(generators.trace(law.replace(seed=seed), trace.num_steps), solver, window_steps)
            for seed in range(seeds)
        ]
        print(
            f"{name}, {solver}: recorded {starts[0]:.3f}, from any first step "
            f"{np.mean(starts):.3f}, generated {np.mean(made):.3f} ± {np.std(made):.3f}"
        )


def _next(trace: traces.RoutingTrace, solver: str, window_steps: int) -> float:
    """Return next-window balancedness on 16 ranks of 5 slots, mean of windows and layers."""
    found = [
        lb.solve(lb.Problem(before[None], 16, 5), solver).balancedness(after).mean()
        for before, after in itertools.pairwise(trace.windows(window_steps))
    ]
    return float(np.mean(found))


if __name__ == "__main__":
    main()
