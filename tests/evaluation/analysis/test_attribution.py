"""Every second has an owner: accounts by phase, rank and expert add up to the step."""

import dataclasses

import numpy as np
import pytest

import lb
from evaluation.analysis.attribution import PHASES, attribute
from hardware.faults import Jitter
from tests.evaluation.analysis.made_window import made_window

EXPERTS = PHASES.index("experts")
EVEN = lb.make_dispatcher("even")


@pytest.fixture
def placement(seen):
    """Greedy's for the first window."""
    return lb.solve(lb.Problem(seen, 16, 5), "greedy")


@pytest.mark.parametrize("dispatcher", ["even", "local-first", "optimal"])
def test_phases_add_up_to_the_steps(executor, placement, window, dispatcher):
    """Layers and phases together are the executor's own steps."""
    split = lb.make_dispatcher(dispatcher)
    result = attribute(executor, placement, window, split)
    expected = [
        executor.step(placement, step, split(placement, step.astype(float)), int(count)).total
        for step, count in zip(window.counts, window.tokens, strict=True)
    ]
    np.testing.assert_allclose(result.step_s, expected, rtol=1e-12)
    assert result.total_s == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("jitter", [None, Jitter(sigma=0.1, stall_probability=0.3, stall_s=1e-3)])
def test_ranks_and_experts_add_up_to_the_expert_phase(executor, placement, window, jitter):
    """In every layer, and also where a stalled rank without tokens is waited for."""
    noisy = dataclasses.replace(executor, jitter=jitter)
    counts = window.counts.copy()
    counts[0, 1] = 0
    result = attribute(noisy, placement, made_window(counts, window.tokens), EVEN)
    phase = result.phase_s[:, EXPERTS]
    np.testing.assert_allclose(result.rank_s.sum(axis=1), phase, rtol=1e-12)
    np.testing.assert_allclose(result.expert_s.sum(axis=1), phase, rtol=1e-12)


def test_the_slowest_rank_is_the_one_with_the_hot_expert(executor):
    """Expert 5 alone has tokens: its rank is waited for, and it takes all the blame."""
    counts = np.zeros((3, 2, 64), dtype=np.int32)
    counts[:, :, 5] = 600
    placement = lb.solve(lb.Problem(np.ones((2, 64)), 16, 4), "contiguous")
    result = attribute(executor, placement, made_window(counts, np.full(3, 600)), EVEN)
    assert result.slowest_rank.tolist() == [1, 1]
    assert result.slowest_rank_load(0) == pytest.approx(16)
    assert (result.rank_s > 0).sum() == 2
    assert (result.expert_s > 0).sum() == 2
    assert (result.expert_s[:, 5] > 0).all()


def test_token_copies_are_means(executor, placement, window):
    """Slots and ranks keep the copies of a mean step."""
    counts = window.counts
    result = attribute(executor, placement, window, EVEN)
    np.testing.assert_allclose(result.rank_tokens, placement.rank_load(counts.mean(axis=0)))
    np.testing.assert_allclose(
        result.slot_tokens.sum(axis=1), counts.sum(axis=(0, 2)) / len(counts)
    )


def test_a_layer_without_tokens_is_balanced(executor):
    """No rank is hotter than the mean of nothing."""
    placement = lb.solve(lb.Problem(np.ones((1, 64)), 16, 4), "contiguous")
    empty = np.zeros((2, 1, 64), dtype=np.int32)
    result = attribute(executor, placement, made_window(empty, [16, 16]), EVEN)
    assert result.slowest_rank_load(0) == 1
    assert result.phase_s[0, EXPERTS] == 0


def test_a_wrong_share_is_refused(executor, placement, window):
    """The dispatcher is checked, as in a replay."""
    with pytest.raises(ValueError, match="add up to"):
        attribute(executor, placement, window, lambda placement, load: EVEN(placement, load) / 2)


def test_a_step_counts_by_its_weight(executor, placement, window):
    """A step of weight two is the same as two such steps, in every mean."""
    counts, tokens = window.counts[:3], window.tokens[:3]
    weighed = attribute(executor, placement, made_window(counts, tokens, [2, 1, 1]), EVEN)
    order = [0, 0, 1, 2]
    repeated = attribute(executor, placement, made_window(counts[order], tokens[order]), EVEN)
    for name in ("phase_s", "rank_s", "expert_s", "rank_tokens", "slot_tokens"):
        np.testing.assert_allclose(
            getattr(weighed, name), getattr(repeated, name), rtol=1e-12, atol=1e-18
        )
    for name in ("dispatch", "combine"):
        one, other = getattr(weighed, name), getattr(repeated, name)
        np.testing.assert_allclose(one.link_busy_s, other.link_busy_s)
        assert one.links_decide == pytest.approx(other.links_decide)
        assert one.contention_s == pytest.approx(other.contention_s)


def test_each_step_has_the_price_of_its_phase(executor, placement, window):
    """Attention of a prefill step costs what an executor of prefill says."""
    counts, tokens = window.counts[:2], window.tokens[:2]
    mixed = made_window(counts, tokens, phases=("decode", "prefill"))
    result = attribute(executor, placement, mixed, EVEN)
    expected = [
        attribute(
            dataclasses.replace(executor, phase=phase),
            placement,
            made_window(counts[step : step + 1], tokens[step : step + 1]),
            EVEN,
        ).total_s
        for step, phase in enumerate(mixed.phases)
    ]
    np.testing.assert_allclose(result.step_s, expected)
    decode = attribute(executor, placement, made_window(counts, tokens), EVEN)
    assert result.step_s[0] == decode.step_s[0]
    assert result.step_s[1] != decode.step_s[1]
