"""Groups stay together, inside their node or with spare replicas elsewhere."""

import numpy as np
import pytest

import lb
from lb.grouping import groups_to_nodes

LOAD = np.random.default_rng(0).lognormal(size=(6, 256))
PROBLEM = lb.Problem(LOAD, 32, 9, ranks_per_node=8, expert_groups=8)


def _homes(problem):
    groups = problem.planned_load.reshape(problem.num_layers, problem.expert_groups, -1).sum(2)
    home = groups_to_nodes(groups, np.ones(problem.num_nodes))
    return np.repeat(home, problem.num_experts // problem.expert_groups, axis=1)


def _nodes(placement, problem, layer, expert):
    slots = np.flatnonzero(placement.physical_to_logical[layer] == expert)
    return slots // placement.slots_per_rank // problem.ranks_per_node


def test_replicas_stay_on_the_node_of_their_group():
    """Every replica of every expert, and groups are whole."""
    placement = lb.solve(PROBLEM, "hierarchical")
    home = _homes(PROBLEM)
    for layer in range(6):
        for expert in range(256):
            assert set(_nodes(placement, PROBLEM, layer, expert)) == {home[layer, expert]}


def test_spilling_leaves_one_replica_at_home():
    """Groups are still together; other replicas are spread."""
    placement = lb.solve(PROBLEM, "hierarchical", spill=True)
    home = _homes(PROBLEM)
    abroad = 0
    for layer in range(6):
        for expert in range(256):
            nodes = _nodes(placement, PROBLEM, layer, expert)
            assert home[layer, expert] in nodes
            abroad += (nodes != home[layer, expert]).sum()
    assert abroad > 6 * 8
    assert placement.duplicate_count.sum() == 0


def test_only_whole_groups_stand_in_the_way():
    """Balancedness within the constraint is within 0.002 of mean over maximum node load."""
    node_load = np.stack(
        [
            np.bincount(home, weights=load, minlength=4)
            for home, load in zip(_homes(PROBLEM), LOAD, strict=True)
        ]
    )
    limit = node_load.mean(axis=1) / node_load.max(axis=1)
    reached = lb.solve(PROBLEM, "hierarchical").balancedness(LOAD)
    assert (reached <= limit * (1 + 1e-9)).all()
    assert (reached >= limit - 0.002).all()


def test_it_beats_the_published_policy_and_spilling_beats_it():
    """In every layer of skewed loads, on 4 nodes of 8 ranks."""
    published = lb.solve(PROBLEM, "eplb", policy="hierarchical").balancedness(LOAD)
    strict = lb.solve(PROBLEM, "hierarchical").balancedness(LOAD)
    spilled = lb.solve(PROBLEM, "hierarchical", spill=True).balancedness(LOAD)
    assert (strict >= published - 1e-9).all()
    assert (spilled > strict).all()
    assert spilled.mean() >= 0.99


def test_a_planted_optimum_is_found():
    """Two nodes, groups 6 + 1 and 5 + 2 of 14, equal experts inside: perfect balance."""
    load = np.repeat([6, 5, 2, 1.0], 4)[None]
    problem = lb.Problem(load, 4, 4, ranks_per_node=2, expert_groups=4)
    assert lb.solve(problem, "hierarchical").balancedness(load) == pytest.approx(1)


def test_slow_ranks_get_less():
    """A node at half speed gets the light groups, and the last rank finishes earlier for it."""
    speed = np.repeat([1, 1, 0.5, 1], 8)
    for spill in (False, True):
        solver = lb.make("hierarchical", spill=spill)
        heeded = lb.solve(PROBLEM.replace(rank_speed=speed), solver).rank_load(LOAD) / speed
        ignored = lb.solve(PROBLEM, solver).rank_load(LOAD) / speed
        assert (heeded.max(axis=1) < 0.9 * ignored.max(axis=1)).all()


@pytest.mark.parametrize("spill", [False, True])
def test_seconds_are_balanced_where_tokens_are_not_the_cost(spill):
    """With experts bound by memory up to 60 tokens, the slowest rank takes less seconds."""
    load = 40 * LOAD
    cost = np.array([[0, 6e-5], [60, 6e-5], [6000, 6e-3]])
    problem = PROBLEM.replace(load=load, expert_cost=cost)
    peaks = []
    for asked in (problem, problem.replace(expert_cost=None)):
        placement = lb.solve(asked, "hierarchical", spill=spill)
        each = np.take_along_axis(
            load / placement.replica_count, placement.physical_to_logical, axis=1
        )
        seconds = np.interp(each, cost[:, 0], cost[:, 1]).reshape(6, 32, 9).sum(axis=2)
        peaks.append(seconds.max(axis=1))
    assert (peaks[0] < peaks[1]).all()


def test_groups_must_divide_over_nodes():
    """Eight groups do not fill three nodes."""
    problem = lb.Problem(np.ones((1, 24)), 6, 5, ranks_per_node=2, expert_groups=8)
    with pytest.raises(ValueError, match=r"expert_groups = 8 do not divide over 3 nodes .2 left"):
        lb.solve(problem, "hierarchical")


def test_a_node_must_not_need_an_expert_twice_on_a_rank():
    """Nine slots a rank for eight experts of a node; spilled replicas fill them."""
    problem = lb.Problem(np.ones((1, 16)), 4, 9, ranks_per_node=2, expert_groups=2)
    with pytest.raises(ValueError, match="slots_per_rank = 9 > 8 experts of a node"):
        lb.solve(problem, "hierarchical")
    assert lb.solve(problem, "hierarchical", spill=True).duplicate_count.sum() == 0


@pytest.mark.parametrize("spill", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_tight_slots_are_filled_without_duplicates(seed, spill):
    """Heavy tails, few ranks a node, as many slots as a rank can take."""
    generator = np.random.default_rng(seed)
    nodes, width, groups = 2, int(generator.integers(1, 4)), 4
    experts = groups * int(generator.integers(1, 4))
    least = -(-experts // (nodes * width))
    most = experts if spill else experts // nodes
    slots = int(generator.integers(least, max(least, most) + 1))
    load = generator.pareto(0.5, size=(3, experts))
    problem = lb.Problem(load, nodes * width, slots, ranks_per_node=width, expert_groups=groups)
    placement = lb.solve(problem, "hierarchical", spill=spill)
    assert placement.duplicate_count.sum() == 0
