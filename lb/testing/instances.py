"""Small named problems, easy to understand, for conformance checks."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lb.placement import Placement
from lb.problem import Problem


def _skewed(
    layers: int, experts: int, seed: int = 7, windows: int | None = None
) -> NDArray[np.float64]:
    """Lognormal loads without ties."""
    shape = (layers, experts) if windows is None else (windows, layers, experts)
    return 100 * np.random.default_rng(seed).lognormal(size=shape)


def _uniform() -> Problem:
    return Problem(np.full((2, 16), 5.0), num_ranks=4, slots_per_rank=5)


def _zipf() -> Problem:
    load = np.stack([np.roll(1000 / np.arange(1, 25), shift) for shift in (0, 5)])
    return Problem(load, num_ranks=4, slots_per_rank=8)


def _lognormal() -> Problem:
    return Problem(_skewed(3, 32), num_ranks=8, slots_per_rank=5)


def _one_hot() -> Problem:
    return Problem(np.eye(2, 12) * 640, num_ranks=4, slots_per_rank=5)


def _all_zero() -> Problem:
    return Problem(np.zeros((2, 12)), num_ranks=4, slots_per_rank=4)


def _one_rank() -> Problem:
    return Problem(_skewed(2, 6), num_ranks=1, slots_per_rank=6)


def _one_slot_a_rank() -> Problem:
    return Problem(_skewed(2, 12), num_ranks=16, slots_per_rank=1)


def _no_redundancy() -> Problem:
    return Problem(_skewed(2, 16), num_ranks=4, slots_per_rank=4)


def _several_windows() -> Problem:
    return Problem(_skewed(2, 16, windows=3), num_ranks=4, slots_per_rank=6)


def _uneven_experts() -> Problem:
    return Problem(_skewed(2, 13), num_ranks=4, slots_per_rank=4)


def _every_expert_everywhere() -> Problem:
    return Problem(_skewed(1, 5), num_ranks=3, slots_per_rank=5)


def _grouped_nodes() -> Problem:
    return Problem(_skewed(2, 32), num_ranks=8, slots_per_rank=5, ranks_per_node=4, expert_groups=8)


def _optimal_dispatcher() -> Problem:
    load = _skewed(2, 24, windows=3)
    return Problem(load, num_ranks=4, slots_per_rank=8, dispatcher="optimal")


def _forecast() -> Problem:
    load = _skewed(2, 24, windows=3)
    return Problem(load, num_ranks=4, slots_per_rank=8, forecast=_skewed(2, 24, seed=8))


def _expert_cost() -> Problem:
    # up to 64 tokens it takes as long to read the weights, from there on each token costs more
    cost = np.array([[0.0, 3.0], [64.0, 3.0], [256.0, 12.0], [512.0, 30.0]])
    return Problem(_skewed(2, 24), num_ranks=4, slots_per_rank=8, expert_cost=cost)


def _current() -> Problem:
    return generic().replace(current=_loaded(generic()))


def _move_price() -> Problem:
    return _current().replace(move_price=5.0)


def _traffic() -> Problem:
    generator = np.random.default_rng(9)
    problem = Problem(_skewed(2, 24), num_ranks=4, slots_per_rank=8, ranks_per_node=2)
    problem = problem.replace(expert_groups=4)
    node = np.arange(4) // 2
    distance = np.where(node[:, None] == node, 1.0, 3.0) - np.eye(4)
    pairs = generator.integers(0, 50, (2, 24, 24))
    return problem.replace(
        source_load=problem.load.swapaxes(0, 1) * generator.dirichlet(np.ones(4), (2, 24)).mT,
        rank_distance=distance,
        coactivation=pairs + pairs.swapaxes(1, 2),
    )


#: Name to a function that makes the problem.
INSTANCES: dict[str, Callable[[], Problem]] = {
    "uniform": _uniform,
    "zipf": _zipf,
    "lognormal": _lognormal,
    "one-hot": _one_hot,
    "all-zero": _all_zero,
    "one-rank": _one_rank,
    "one-slot-a-rank": _one_slot_a_rank,
    "no-redundancy": _no_redundancy,
    "several-windows": _several_windows,
    "uneven-experts": _uneven_experts,
    "every-expert-everywhere": _every_expert_everywhere,
    "grouped-nodes": _grouped_nodes,
    "optimal-dispatcher": _optimal_dispatcher,
    "forecast": _forecast,
    "expert-cost": _expert_cost,
    "current": _current,
    "move-price": _move_price,
    "traffic": _traffic,
}


def generic(seed: int = 11) -> Problem:
    """A problem without ties, on which relabelling can change nothing but the names."""
    return Problem(_skewed(4, 24, seed), num_ranks=4, slots_per_rank=8)


def with_budget(max_moves: int) -> Problem:
    """A problem whose current placement suits another load, with a budget of moves."""
    return _current().replace(max_moves=max_moves)


def with_slow_rank(speed: float) -> Problem:
    """A problem whose first rank has this speed, and the three others 1."""
    return generic().replace(rank_speed=[speed, 1.0, 1.0, 1.0])


def _loaded(problem: Problem) -> Placement:
    """What engines load at start-up: experts by their ids, and over again."""
    row = np.arange(problem.num_slots) % problem.num_experts
    return Placement(np.tile(row, (problem.num_layers, 1)), problem.num_ranks)


def planted() -> dict[str, Problem]:
    """Problems built so that perfect balance exists and longest-first placing must find it."""
    rising = np.arange(1.0, 9.0)
    heavy = np.concatenate([[10.0 * 9], np.full(23, 10.0)])
    return {
        # eight pairs that add up to 20, on eight ranks of two slots
        "pairs": Problem(np.concatenate([rising, 20 - rising])[None], 8, 2),
        # one expert as heavy as nine others, and exactly eight spare slots
        "one heavy expert": Problem(heavy[None], num_ranks=16, slots_per_rank=2),
        # equal loads, every expert copied exactly once
        "two copies of each": Problem(np.full((1, 8), 3.0), num_ranks=8, slots_per_rank=2),
    }


def planted_partition(seed: int) -> Problem:
    """Loads cut at random from equal ranks: perfect balance exists but is hard to find."""
    generator = np.random.default_rng(seed)
    parts = 1000 * generator.dirichlet(np.ones(6), size=8)
    return Problem(generator.permutation(parts.ravel())[None], num_ranks=8, slots_per_rank=6)
