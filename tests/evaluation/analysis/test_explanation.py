"""Explanations: accounts add up, swap sign, vanish, and price the way there."""

import numpy as np
import pytest

import lb
from evaluation.analysis.attribution import PHASES
from evaluation.analysis.explanation import explain
from evaluation.analysis.train_judge_split import split_trace


@pytest.fixture
def split(trace):
    """The toy trace, four steps seen."""
    return split_trace(trace, 4)


@pytest.fixture
def placements(split):
    """Experts in order of their ids, and as greedy wants them."""
    problem = lb.Problem(split.train_load, 16, 5)
    return lb.solve(problem, "contiguous"), lb.solve(problem, "greedy")


def test_accounts_add_up_to_the_difference(executor, split, placements):
    """Layers and phases to the mean step; ranks and experts to the expert phase."""
    explanation = explain(executor, *placements, split)
    steps = [side.step_s.mean() for side in (explanation.before, explanation.after)]
    assert explanation.difference_s == pytest.approx(steps[1] - steps[0], rel=1e-9)
    assert explanation.layer_s.sum() == pytest.approx(explanation.difference_s)
    experts = explanation.phase_s[:, PHASES.index("experts")]
    assert explanation.rank_s.sum() == pytest.approx(experts.sum())
    np.testing.assert_allclose(explanation.expert_s.sum(axis=1), experts, rtol=1e-9)
    assert explanation.change == pytest.approx(
        explanation.difference_s / explanation.before.total_s
    )


def test_the_balanced_placement_is_faster(executor, split, placements):
    """On this skewed trace, in every step, and it pays after migration over gain."""
    explanation = explain(executor, *placements, split, migration_bytes_per_s=1e10)
    assert explanation.difference_s < 0
    assert explanation.faster_steps == 14
    assert explanation.migration_s == executor.migration_s(explanation.moves, 1e10)
    assert explanation.break_even_steps == pytest.approx(
        explanation.migration_s / -explanation.difference_s
    )
    assert explanation.moved_bytes == explanation.moves.sum() * executor.expert_bytes


def test_the_way_back_never_pays(executor, split, placements):
    """A slower placement has no gain to pay with."""
    assert explain(executor, *placements[::-1], split).break_even_steps is None


def test_a_placement_against_itself_is_zero_everywhere(executor, split, placements):
    """Exactly, not nearly."""
    explanation = explain(executor, placements[1], placements[1], split)
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


def test_swapping_negates(executor, split, placements):
    """Every account that adds up changes its sign and nothing else."""
    there = explain(executor, *placements, split)
    back = explain(executor, *placements[::-1], split)
    for name in ("difference_s", "phase_s", "layer_s", "rank_s", "expert_s"):
        np.testing.assert_array_equal(getattr(there, name), -np.asarray(getattr(back, name)))


def test_slots_may_differ(executor, split, placements):
    """Four slots a rank against five: replicas against none, and accounts still add up."""
    bare = lb.solve(lb.Problem(split.train_load, 16, 4), "greedy")
    explanation = explain(executor, bare, placements[1], split)
    assert explanation.expert_s.shape == (2, 64)
    assert explanation.difference_s == pytest.approx(
        np.mean(explanation.after.step_s - explanation.before.step_s)
    )
    assert explanation.moves.max() <= 5


def test_free_replicas_pay_at_once(executor, split, placements):
    """A gain without a move is paid after no step."""
    explanation = explain(executor, *placements, split, migration_bytes_per_s=float("inf"))
    assert explanation.break_even_steps == 0


@pytest.mark.parametrize(
    ("placement", "message"),
    [
        (lb.Placement(np.arange(64)[None], 16), "AFTER has 1 layers, the trace 2"),
        (lb.Placement(np.tile(np.arange(80), (2, 1)), 16), "AFTER has 80 experts, the trace 64"),
        (lb.Placement(np.tile(np.arange(64), (2, 1)), 8), "AFTER has 8 ranks, the machine 16"),
    ],
)
def test_other_deployments_are_refused(executor, split, placements, placement, message):
    """Layers, experts and ranks must be those of trace and machine."""
    with pytest.raises(ValueError, match=message):
        explain(executor, placements[0], placement, split)
    with pytest.raises(ValueError, match=message.replace("AFTER", "BEFORE")):
        explain(executor, placement, placements[0], split)
