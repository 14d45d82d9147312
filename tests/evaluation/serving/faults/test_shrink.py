"""Fewer ranks hold every expert; or some experts are missing, and it is known which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from evaluation.serving.faults.shrink import missing_experts, shrunk_placement
from lb import Placement

FOUR = Placement([[0, 1, 2, 3, 4, 5, 0, 1], [0, 1, 2, 3, 4, 5, 2, 3]], 4)
LOAD = np.array([[8.0, 8, 4, 4, 2, 2], [1, 1, 1, 1, 1, 1]])


def test_what_is_left_without_loading() -> None:
    """Rank 0 has replicas of both its experts in layer 0 and of none in layer 1."""
    left = missing_experts(FOUR, [0])
    assert left.placement is None
    np.testing.assert_array_equal(left.missing, [[0] * 6, [1, 1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(
        left.share, [[0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0.5, 0.5, 1, 1, 0.5, 0.5]]
    )


def test_the_share_prices_the_old_placement() -> None:
    """Lost ranks compute nothing, and what is not missing is computed."""
    left = missing_experts(FOUR, [0])
    rank_load = FOUR.rank_load(LOAD, left.share)
    np.testing.assert_array_equal(rank_load, [[0, 8, 4, 16], [0, 1, 2, 1]])
    assert LOAD[left.missing].sum() == 2
    np.testing.assert_allclose(rank_load.sum(), LOAD.sum() - 2)


def test_a_placement_is_left_when_nothing_is_missing() -> None:
    """Slots of the surviving ranks in their order."""
    left = missing_experts(FOUR, [3])
    assert left.placement is not None
    np.testing.assert_array_equal(left.placement.physical_to_logical, [list(range(6))] * 2)
    assert left.placement.num_ranks == 3
    assert not left.missing.any()
    same = missing_experts(FOUR, [])
    np.testing.assert_array_equal(same.share, FOUR.even_share)


def test_slots_stay_unless_experts_do_not_fit() -> None:
    """Three ranks of two slots hold six experts, two ranks need three slots."""
    assert shrunk_placement(FOUR, LOAD, [0]).slots_per_rank == 2
    assert shrunk_placement(FOUR, LOAD, [0, 2]).slots_per_rank == 3
    assert shrunk_placement(FOUR, LOAD, [0, 2], most_slots=3).num_ranks == 2
    with pytest.raises(ValueError, match="slots_per_rank = 3 > 2 = most_slots that memory holds"):
        shrunk_placement(FOUR, LOAD, [0, 2], most_slots=2)


def test_the_solver_knows_what_is_loaded() -> None:
    """A solver that need not move anything does not: ranks 0 to 2 stay as they are."""
    seen = []

    def spy(problem: lb.Problem) -> Placement:
        seen.append(problem.current)
        return lb.solve(problem, "greedy")

    shrunk_placement(FOUR, LOAD, [3], spy)
    shrunk_placement(FOUR, LOAD, [0], spy)
    np.testing.assert_array_equal(seen[0].physical_to_logical, [list(range(6))] * 2)
    assert seen[1] is None


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ([4], "lost rank 4 breaks 0 <= rank < 4"),
        ([-1], "lost rank -1 breaks"),
        ([0, 1, 2, 3], "all 4 ranks are lost"),
    ],
)
def test_impossible_losses_are_refused(lost, message) -> None:
    """By both."""
    with pytest.raises(ValueError, match=message):
        missing_experts(FOUR, lost)
    with pytest.raises(ValueError, match=message):
        shrunk_placement(FOUR, LOAD, lost)


def test_the_load_must_be_of_the_placement() -> None:
    """Five experts are not six, nor is one layer two."""
    with pytest.raises(ValueError, match=r"give \[2 layers, 6 experts\]"):
        shrunk_placement(FOUR, LOAD[:, :5], [0])
    with pytest.raises(ValueError, match=r"give \[2 layers, 6 experts\]"):
        shrunk_placement(FOUR, LOAD[:1], [0])


@st.composite
def _losses(draw):
    """A placement by a real solver, a load and ranks to lose, at least one being left."""
    ranks, experts = draw(st.integers(2, 6)), draw(st.integers(2, 24))
    least = -(-experts // ranks)
    slots = draw(st.integers(least, min(experts, least + 3)))
    load = np.random.default_rng(draw(st.integers(0, 2**32))).gamma(0.5, 100, (2, 3, experts))
    placement = lb.solve(lb.Problem(load, ranks, slots), "greedy")
    lost = draw(st.sets(st.integers(0, ranks - 1), max_size=ranks - 1))
    return placement, load, sorted(lost)


@settings(max_examples=60, deadline=None)
@given(_losses(), st.sampled_from(["greedy", "eplb", "xdeepserve", "incremental"]))
def test_every_expert_keeps_a_replica(case, solver) -> None:
    """On the ranks that are left, with no more slots than needed and no token lost."""
    placement, load, lost = case
    after = shrunk_placement(placement, load, lost, solver)
    assert after.num_ranks == placement.num_ranks - len(lost)
    assert after.num_experts == placement.num_experts
    assert after.replica_count.min() >= 1
    needed = -(-placement.num_experts // after.num_ranks)
    assert after.slots_per_rank == max(placement.slots_per_rank, needed)
    np.testing.assert_allclose(after.rank_load(load).sum(axis=-1), load.sum(axis=-1))


@settings(max_examples=60, deadline=None)
@given(_losses())
def test_tokens_are_computed_or_missing(case) -> None:
    """Shares of an expert add up to one, or it is missing; lost ranks take none."""
    placement, load, lost = case
    left = missing_experts(placement, lost)
    taken = np.zeros((placement.num_layers, placement.num_experts))
    layers = np.arange(placement.num_layers)[:, None]
    np.add.at(taken, (layers, placement.physical_to_logical), left.share)
    np.testing.assert_allclose(taken, ~left.missing)
    rank_load = placement.rank_load(load, left.share)
    assert (rank_load[..., lost] == 0).all()
    lost_tokens = load[..., left.missing].sum()
    np.testing.assert_allclose(rank_load.sum() + lost_tokens, load.sum())
    assert (left.placement is None) == left.missing.any()
