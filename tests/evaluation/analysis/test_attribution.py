"""Every second has an owner: accounts by phase, rank and expert add up to the step."""

import dataclasses

import numpy as np
import pytest

import lb
from evaluation.analysis.attribution import PHASES, attribute
from evaluation.analysis.train_judge_split import split_trace
from hardware.faults import Jitter

EXPERTS = PHASES.index("experts")
EVEN = lb.make_dispatcher("even")


def _solved(trace, solver="greedy"):
    seen, counts, tokens = split_trace(trace, 4)
    return lb.solve(lb.Problem(seen, 16, 5), solver), counts, tokens


@pytest.mark.parametrize("dispatcher", ["even", "local-first", "optimal"])
def test_phases_add_up_to_the_steps(executor, trace, dispatcher):
    """Layers and phases together are the executor's own steps."""
    placement, counts, tokens = _solved(trace)
    split = lb.make_dispatcher(dispatcher)
    result = attribute(executor, placement, counts, tokens, split)
    expected = [
        executor.step(placement, step, split(placement, step.astype(float)), int(count)).total
        for step, count in zip(counts, tokens, strict=True)
    ]
    np.testing.assert_allclose(result.step_s, expected, rtol=1e-12)
    assert result.total_s == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("jitter", [None, Jitter(sigma=0.1, stall_probability=0.3, stall_s=1e-3)])
def test_ranks_and_experts_add_up_to_the_expert_phase(executor, trace, jitter):
    """In every layer, and also where a stalled rank without tokens is waited for."""
    noisy = dataclasses.replace(executor, jitter=jitter)
    placement, counts, tokens = _solved(trace)
    counts = counts.copy()
    counts[0, 1] = 0
    result = attribute(noisy, placement, counts, tokens, EVEN)
    phase = result.phase_s[:, EXPERTS]
    np.testing.assert_allclose(result.rank_s.sum(axis=1), phase, rtol=1e-12)
    np.testing.assert_allclose(result.expert_s.sum(axis=1), phase, rtol=1e-12)


def test_the_slowest_rank_is_the_one_with_the_hot_expert(executor):
    """Expert 5 alone has tokens: its rank is waited for, and it takes all the blame."""
    counts = np.zeros((3, 2, 64), dtype=np.int32)
    counts[:, :, 5] = 600
    placement = lb.solve(lb.Problem(np.ones((2, 64)), 16, 4), "contiguous")
    result = attribute(executor, placement, counts, np.full(3, 600), EVEN)
    assert result.slowest_rank.tolist() == [1, 1]
    assert result.slowest_rank_load(0) == pytest.approx(16)
    assert (result.rank_s > 0).sum() == 2
    assert (result.expert_s > 0).sum() == 2
    assert (result.expert_s[:, 5] > 0).all()


def test_token_copies_are_means(executor, trace):
    """Slots and ranks keep the copies of a mean step."""
    placement, counts, tokens = _solved(trace)
    result = attribute(executor, placement, counts, tokens, EVEN)
    np.testing.assert_allclose(result.rank_tokens, placement.rank_load(counts.mean(axis=0)))
    np.testing.assert_allclose(
        result.slot_tokens.sum(axis=1), counts.sum(axis=(0, 2)) / len(counts)
    )


def test_a_layer_without_tokens_is_balanced(executor):
    """No rank is hotter than the mean of nothing."""
    placement = lb.solve(lb.Problem(np.ones((1, 64)), 16, 4), "contiguous")
    empty = np.zeros((2, 1, 64), dtype=np.int32)
    result = attribute(executor, placement, empty, np.array([16, 16]), EVEN)
    assert result.slowest_rank_load(0) == 1
    assert result.phase_s[0, EXPERTS] == 0


def test_a_wrong_share_is_refused(executor, trace):
    """The dispatcher is checked, as in a replay."""
    placement, counts, tokens = _solved(trace)
    with pytest.raises(ValueError, match="add up to"):
        attribute(
            executor, placement, counts, tokens, lambda placement, load: EVEN(placement, load) / 2
        )
