"""Explanations: accounts add up, swap sign, vanish, and price the way there."""

import numpy as np
import pytest

import lb
from evaluation.analysis.attribution import PHASES
from evaluation.analysis.explain import explain
from evaluation.analysis.train_judge_split import observe


@pytest.fixture
def observed(trace):
    """The toy trace, four steps seen."""
    return observe(trace, 4)


@pytest.fixture
def placements(observed):
    """Experts in order of their ids, and as greedy wants them."""
    problem = lb.Problem(observed.seen, 16, 5)
    return lb.solve(problem, "contiguous"), lb.solve(problem, "greedy")


def test_accounts_add_up_to_the_difference(executor, observed, placements):
    """Layers and phases to the mean step; ranks and experts to the expert phase."""
    told = explain(executor, *placements, observed)
    steps = [side.step_s.mean() for side in (told.before, told.after)]
    assert told.difference_s == pytest.approx(steps[1] - steps[0], rel=1e-9)
    assert told.layer_s.sum() == pytest.approx(told.difference_s)
    experts = told.phase_s[:, PHASES.index("experts")]
    assert told.rank_s.sum() == pytest.approx(experts.sum())
    np.testing.assert_allclose(told.expert_s.sum(axis=1), experts, rtol=1e-9)
    assert told.change == pytest.approx(told.difference_s / told.before.total_s)


def test_the_balanced_placement_is_faster(executor, observed, placements):
    """On this skewed trace, in every step, and it pays after migration over gain."""
    told = explain(executor, *placements, observed, migration_bytes_per_s=1e10)
    assert told.difference_s < 0
    assert told.faster_steps == 14
    assert told.migration_s == executor.migration_s(told.moves, 1e10)
    assert told.break_even_steps == pytest.approx(told.migration_s / -told.difference_s)
    assert told.moved_bytes == told.moves.sum() * executor.expert_bytes


def test_the_way_back_never_pays(executor, observed, placements):
    """A slower placement has no gain to pay with."""
    assert explain(executor, *placements[::-1], observed).break_even_steps is None


def test_a_placement_against_itself_is_zero_everywhere(executor, observed, placements):
    """Exactly, not nearly."""
    told = explain(executor, placements[1], placements[1], observed)
    for account in (told.phase_s, told.layer_s, told.rank_s, told.expert_s, told.marginal_s):
        assert not account.any()
    assert (told.difference_s, told.change, told.migration_s, told.faster_steps) == (0, 0, 0, 0)
    assert told.break_even_steps is None


def test_swapping_negates(executor, observed, placements):
    """Every account that adds up changes its sign and nothing else."""
    there = explain(executor, *placements, observed)
    back = explain(executor, *placements[::-1], observed)
    for name in ("difference_s", "phase_s", "layer_s", "rank_s", "expert_s"):
        np.testing.assert_array_equal(getattr(there, name), -np.asarray(getattr(back, name)))


def test_slots_may_differ(executor, observed, placements):
    """Four slots a rank against five: replicas against none, and accounts still add up."""
    bare = lb.solve(lb.Problem(observed.seen, 16, 4), "greedy")
    told = explain(executor, bare, placements[1], observed)
    assert told.expert_s.shape == (2, 64)
    assert told.difference_s == pytest.approx(np.mean(told.after.step_s - told.before.step_s))
    assert told.moves.max() <= 5


def test_free_replicas_pay_at_once(executor, observed, placements):
    """A gain without a move is paid after no step."""
    told = explain(executor, *placements, observed, migration_bytes_per_s=float("inf"))
    assert told.break_even_steps == 0


@pytest.mark.parametrize(
    ("placement", "message"),
    [
        (lb.Placement(np.arange(64)[None], 16), "AFTER has 1 layers, the trace 2"),
        (lb.Placement(np.tile(np.arange(80), (2, 1)), 16), "AFTER has 80 experts, the trace 64"),
        (lb.Placement(np.tile(np.arange(64), (2, 1)), 8), "AFTER has 8 ranks, the machine 16"),
    ],
)
def test_other_deployments_are_refused(executor, observed, placements, placement, message):
    """Layers, experts and ranks must be those of trace and machine."""
    with pytest.raises(ValueError, match=message):
        explain(executor, placements[0], placement, observed)
    with pytest.raises(ValueError, match=message.replace("AFTER", "BEFORE")):
        explain(executor, placement, placements[0], observed)
