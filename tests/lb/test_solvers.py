"""What each first solver promises beyond conformance."""

import numpy as np
import pytest

import lb
import lb.testing

# The example that the README of deepseek-ai/EPLB prints, input and output.
README_LOAD = [
    [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86],
    [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27],
]
README_MAP = [
    [5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1],
    [7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1],
]


SOLVERS = [
    "affinity",
    "auto",
    "contiguous",
    "eplb",
    "greedy",
    "hierarchical",
    "incremental",
    "learned",
    "local-search",
    "random",
    "robust",
    "xdeepserve",
]


@lb.testing.parametrize_with_checks(SOLVERS)
def test_conformance(solver, check):
    """Every registered solver passes every check, but for its known failures."""
    check(solver)


def test_every_registered_solver_is_checked():
    """A new registry line needs a new name in the test above."""
    assert set(lb.available()) == {*SOLVERS, "ilp"}  # ilp: in test_ilp.py, where its extra is


def test_eplb_gives_the_published_output():
    """The hierarchical policy reproduces the published example slot by slot."""
    problem = lb.Problem(README_LOAD, 8, 2, ranks_per_node=4, expert_groups=4)
    np.testing.assert_array_equal(lb.solve(problem, "eplb").physical_to_logical, README_MAP)


def test_eplb_is_global_where_groups_do_not_divide():
    """Three nodes and four groups fall back to the published global policy."""
    load = np.random.default_rng(0).integers(1, 100, (2, 12))
    problem = lb.Problem(load, 6, 3, ranks_per_node=2, expert_groups=4)
    auto = lb.solve(problem, "eplb")
    np.testing.assert_array_equal(
        auto.physical_to_logical, lb.solve(problem, "eplb", policy="global").physical_to_logical
    )
    with pytest.raises(ValueError, match="expert_groups = 4 do not divide over 3 nodes"):
        lb.solve(problem, "eplb", policy="hierarchical")
    with pytest.raises(ValueError, match="policy = 'flat' is not one of"):
        lb.solve(problem, "eplb", policy="flat")


def test_eplb_hierarchical_keeps_groups_on_nodes():
    """Every expert of a group has all its copies on one node."""
    load = np.random.default_rng(1).lognormal(size=(3, 32))
    problem = lb.Problem(load, 8, 5, ranks_per_node=4, expert_groups=8)
    table = lb.solve(problem, "eplb").physical_to_logical.reshape(3, 2, 20)
    for layer in table:
        nodes = [set((node // 4).tolist()) for node in layer]
        assert not nodes[0] & nodes[1]


def test_contiguous_fills_redundant_slots_in_order():
    """0 … E-1, then 0, 1, …."""
    placement = lb.solve(lb.Problem(np.ones((1, 5)), 2, 4), "contiguous")
    np.testing.assert_array_equal(placement.physical_to_logical, [[0, 1, 2, 3, 4, 0, 1, 2]])


def test_random_seeds():
    """Equal seeds agree, others do not."""
    problem = lb.Problem(np.ones((2, 32)), 8, 5)
    one, same = (lb.solve(problem, "random", seed=1).physical_to_logical for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert (one != lb.solve(problem, "random", seed=2).physical_to_logical).any()


def test_greedy_gives_slow_ranks_less():
    """The slow rank gets the least, and the last rank finishes earlier than without its speed."""
    load = np.random.default_rng(2).lognormal(size=(1, 64))
    speed = np.array([1, 1, 1, 0.5])
    problem = lb.Problem(load, 4, 24, rank_speed=speed)
    heeded = lb.solve(problem, "greedy").rank_load(load)[0]
    ignored = lb.solve(problem.replace(rank_speed=None), "greedy").rank_load(load)[0]
    assert heeded.argmin() == 3
    assert (heeded / speed).max() < 0.8 * (ignored / speed).max()


@pytest.mark.parametrize("seed", range(30))
def test_greedy_makes_room_at_the_end(seed):
    """Tight slots and heavy experts never force a duplicate."""
    generator = np.random.default_rng(seed)
    ranks, slots = int(generator.integers(2, 7)), int(generator.integers(1, 6))
    experts = int(generator.integers(slots, ranks * slots + 1))
    load = generator.pareto(0.5, size=(4, experts))
    placement = lb.solve(lb.Problem(load, ranks, slots), "greedy")
    assert placement.duplicate_count.sum() == 0


ODD = ["affinity", "contiguous", "eplb", "greedy", "hierarchical", "learned", "random"]


@pytest.mark.parametrize("solver", [*ODD, "auto", "incremental", "local-search", "robust"])
def test_odd_loads_are_survived(solver):
    """Denormal, huge and lone loads get a feasible answer."""
    for load in (np.full((1, 8), 5e-324), np.full((1, 8), 1e306), np.eye(1, 8) * 1e300):
        for dispatcher in ("even", "optimal"):
            problem = lb.Problem(load, 4, 3, dispatcher=dispatcher)
            assert lb.solve(problem, solver).replica_count.sum() == 12


@pytest.mark.parametrize(
    "solver", ["affinity", "auto", "greedy", "hierarchical", "incremental", "local-search"]
)
@pytest.mark.parametrize(
    ("experts", "ranks", "slots"), [(1, 4, 1), (8, 1, 8), (8, 8, 1), (8, 4, 3)]
)
def test_times_beyond_the_largest_number_are_survived(solver, experts, ranks, slots):
    """Where load over speed overflows, every slot is filled all the same, without duplicates."""
    speed = np.where(np.arange(ranks) == 0, 1e-9, 1e9)
    problem = lb.Problem(np.full((2, experts), 1e300), ranks, slots, rank_speed=speed)
    placement = lb.solve(problem, solver)
    assert placement.replica_count.min() >= 1
    assert placement.duplicate_count.sum() == 0
