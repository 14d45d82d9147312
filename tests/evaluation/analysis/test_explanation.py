"""Explanations: accounts add up, swap sign, vanish, and price the way there."""

import numpy as np
import pytest

import lb
from evaluation.analysis.attribution import PHASES
from evaluation.analysis.explanation import explain


@pytest.fixture
def placements(seen):
    """Experts in order of their ids, and as greedy wants them."""
    problem = lb.Problem(seen, 16, 5)
    return lb.solve(problem, "contiguous"), lb.solve(problem, "greedy")


def test_accounts_add_up_to_the_difference(executor, window, placements):
    """Layers and phases to the mean step; ranks and experts to the expert phase."""
    explanation = explain(executor, *placements, window)
    steps = [side.step_s.mean() for side in (explanation.before, explanation.after)]
    assert explanation.difference_s == pytest.approx(steps[1] - steps[0], rel=1e-9)
    assert explanation.layer_s.sum() == pytest.approx(explanation.difference_s)
    experts = explanation.phase_s[:, PHASES.index("experts")]
    assert explanation.rank_s.sum() == pytest.approx(experts.sum())
    np.testing.assert_allclose(explanation.expert_s.sum(axis=1), experts, rtol=1e-9)
    assert explanation.change == pytest.approx(
        explanation.difference_s / explanation.before.total_s
    )


def test_the_balanced_placement_is_faster(executor, window, placements):
    """On this skewed trace, in every step, and it pays after migration over gain."""
    explanation = explain(executor, *placements, window, migration_bytes_per_s=1e10)
    assert explanation.difference_s < 0
    assert explanation.faster_steps == 14
    assert explanation.migration_s == executor.migration_s(explanation.moves, 1e10)
    assert explanation.break_even_steps == pytest.approx(
        explanation.migration_s / -explanation.difference_s
    )
    assert explanation.moved_bytes == explanation.moves.sum() * executor.expert_bytes


def test_a_rebalance_may_stop_the_engine(executor, window, placements):
    """By so many seconds more, unless nothing moves."""
    free = {"migration_bytes_per_s": float("inf"), "migration_pause_s": 2.0}
    assert explain(executor, *placements, window, **free).migration_s == 2.0
    same = explain(executor, placements[0], placements[0], window, **free)
    assert same.migration_s == 0


def test_the_way_back_never_pays(executor, window, placements):
    """A slower placement has no gain to pay with."""
    assert explain(executor, *placements[::-1], window).break_even_steps is None


def test_a_placement_against_itself_is_zero_everywhere(executor, window, placements):
    """Exactly, not nearly."""
    explanation = explain(executor, placements[1], placements[1], window)
    for account in (
        explanation.phase_s,
        explanation.layer_s,
        explanation.rank_s,
        explanation.expert_s,
        explanation.marginal_cost_s,
    ):
        assert not account.any()
    assert (
        explanation.difference_s,
        explanation.change,
        explanation.migration_s,
        explanation.faster_steps,
    ) == (0, 0, 0, 0)
    assert explanation.break_even_steps is None


def test_swapping_negates(executor, window, placements):
    """Every account that adds up changes its sign and nothing else."""
    there = explain(executor, *placements, window)
    back = explain(executor, *placements[::-1], window)
    for name in ("difference_s", "phase_s", "layer_s", "rank_s", "expert_s"):
        np.testing.assert_array_equal(getattr(there, name), -np.asarray(getattr(back, name)))


def test_slots_may_differ(executor, seen, window, placements):
    """Four slots a rank against five: replicas against none, and accounts still add up."""
    bare = lb.solve(lb.Problem(seen, 16, 4), "greedy")
    explanation = explain(executor, bare, placements[1], window)
    assert explanation.expert_s.shape == (2, 64)
    assert explanation.difference_s == pytest.approx(
        np.mean(explanation.after.step_s - explanation.before.step_s)
    )
    assert explanation.moves.max() <= 5


def test_free_replicas_pay_at_once(executor, window, placements):
    """A gain without a move is paid after no step."""
    explanation = explain(executor, *placements, window, migration_bytes_per_s=float("inf"))
    assert explanation.break_even_steps == 0


@pytest.mark.parametrize(
    ("placement", "message"),
    [
        (lb.Placement(np.arange(64)[None], 16), "AFTER has 1 layers, the traffic 2"),
        (lb.Placement(np.tile(np.arange(80), (2, 1)), 16), "AFTER has 80 experts, the traffic 64"),
        (lb.Placement(np.tile(np.arange(64), (2, 1)), 8), "AFTER has 8 ranks, the machine 16"),
    ],
)
def test_other_deployments_are_refused(executor, window, placements, placement, message):
    """Layers, experts and ranks must be those of trace and machine."""
    with pytest.raises(ValueError, match=message):
        explain(executor, placements[0], placement, window)
    with pytest.raises(ValueError, match=message.replace("AFTER", "BEFORE")):
        explain(executor, placement, placements[0], window)
