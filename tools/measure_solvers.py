"""Measure the numbers in docs/solvers.md: ``python tools/measure_solvers.py [NAME …]``.

58 layers of 256 experts, 288 slots on 32 ranks, three kinds of load. Times are the least of several
calls after a first one, as multiples of ``numpy.argsort(load, axis=1)`` on the lognormal loads,
which is timed in between. Balancedness is that of the load that was planned for, the mean over the
layers, under an even split unless the line says otherwise.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import lb
from lb.dispatch import slot_share

LAYERS, EXPERTS, RANKS, SLOTS = 58, 256, 32, 9
SECONDS = 2.0  # at most so long for one timing, unless one call takes longer

Cases = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]

#: Line to solver, its parameters, and what the problem states.
CASES: Cases = {name: (name, {}, {}) for name in lb.available()}
GROUPS = {"ranks_per_node": 8, "expert_groups": 8}
CASES["hierarchical"] = ("hierarchical", {}, GROUPS)
CASES["hierarchical, spill=True"] = ("hierarchical", {"spill": True}, GROUPS)
CASES["eplb, 8 groups on 4 nodes"] = ("eplb", {}, GROUPS)
CASES["robust, optimal dispatcher"] = ("robust", {}, {"dispatcher": "optimal"})
CASES["ilp, optimal dispatcher"] = ("ilp", {}, {"dispatcher": "optimal"})


def loads() -> dict[str, np.ndarray]:
    """Return [layers, experts] tokens by kind, every layer in an order of its own."""
    generator = np.random.default_rng(0)
    zipf = np.tile(1000 / np.arange(1, EXPERTS + 1), (LAYERS, 1))
    return {
        "uniform": 1000 * generator.uniform(size=(LAYERS, EXPERTS)),
        "Zipf 1": generator.permuted(zipf, axis=1),
        "lognormal": 1000 * generator.lognormal(size=(LAYERS, EXPERTS)),
    }


def least_s(call: Callable[[], Any]) -> float:
    """Return the least time of a call."""
    call()
    times, end = [], time.perf_counter() + SECONDS
    while not times or (time.perf_counter() < end and len(times) < 200):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def problems(kinds: dict[str, np.ndarray], stated: dict[str, Any]) -> list[lb.Problem]:
    """Return a problem for each kind of load."""
    return [lb.Problem(load, RANKS, SLOTS, **stated) for load in kinds.values()]


def main() -> None:
    """Print a line for each case, then the dispatchers."""
    kinds = loads()
    contiguous = lb.solve(problems(kinds, {})[0], "contiguous")
    sources = np.random.default_rng(1).dirichlet(np.ones(RANKS), (LAYERS, EXPERTS)).mT
    CASES["incremental, from contiguous"] = ("incremental", {}, {"current": contiguous})
    CASES["affinity, with source_load"] = ("affinity", {}, {"source_load": sources})
    unit = least_s(lambda: np.argsort(kinds["lognormal"], axis=1))
    print(f"numpy.argsort: {1e6 * unit:.0f} us", *kinds, sep=" | ")
    for line in sys.argv[1:] or sorted(CASES):
        name, params, stated = CASES[line]
        solver, reached, took = lb.make(name, **params), [], []
        for problem in problems(kinds, stated):
            split = lb.make_dispatcher(problem.dispatcher)
            answer = solver(problem)
            share = split(answer, problem.planned_load)
            reached.append(answer.balancedness(problem.planned_load, share).mean())
            took.append(least_s(partial(solver, problem)))
        ratios = " ".join(f"{seconds / unit:.2g}" for seconds in took)
        print(line, ratios, *(f"{value:.4f}" for value in reached), sep=" | ", flush=True)
    if sys.argv[1:]:
        return
    placement = lb.solve(problems(kinds, {})[2], "local-search")
    drift = np.exp(0.3 * np.random.default_rng(2).normal(size=(LAYERS, EXPERTS)))
    load = kinds["lognormal"] * drift
    for name in lb.available_dispatchers():
        split = lb.make_dispatcher(name)
        share = slot_share(placement, split(placement, load))
        ratio = least_s(partial(split, placement, load)) / unit
        value = placement.balancedness(load, share).mean()
        print(name, f"{ratio:.2g}", f"{value:.4f}", sep=" | ")
    print(f"numpy.argsort: {1e6 * least_s(lambda: np.argsort(load, axis=1)):.0f} us")


if __name__ == "__main__":
    main()
