"""The phases of a step add up, and imbalance never makes it faster."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb

CONTIGUOUS = lb.solve(lb.Problem(np.ones((2, 64)), 16, 5), "contiguous")


def test_phases_add_up(executor):
    """The total is the sum of four phases over all layers; ranks wait for the slowest one."""
    counts = np.random.default_rng(0).poisson(24, (2, 64))
    step = executor.step(CONTIGUOUS, counts, step_tokens=256)
    parts = step.attention + step.dispatch + step.experts + step.combine
    assert step.total == pytest.approx(parts.sum())
    assert step.layers.shape == (2,)
    assert step.expert_wait.shape == (2, 16)
    np.testing.assert_array_equal(step.expert_wait.min(axis=1), 0)
    assert (step.attention_wait == 0).all()


def test_a_hot_rank_makes_the_others_wait(executor):
    """All ranks wait at combine except those that hold the hot expert."""
    counts = np.full((2, 64), 10.0)
    counts[:, 5] = 5000
    step = executor.step(CONTIGUOUS, counts, step_tokens=256)
    hot = CONTIGUOUS.rank_load(counts).argmax(axis=1)
    assert (step.expert_wait[np.arange(2), hot] == 0).all()
    assert (np.sort(step.expert_wait, axis=1)[:, 2:] > 0).all()


def test_one_token_more_on_some_ranks(executor):
    """Tokens are whole: of 257 tokens on 16 ranks, one rank has 17, and the others wait."""
    counts = np.full((2, 64), 24)
    even = executor.step(CONTIGUOUS, counts, step_tokens=256)
    more = executor.step(CONTIGUOUS, counts, step_tokens=257)
    assert (more.attention_wait.argmin(axis=1) == 0).all()
    assert more.total >= even.total


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_ideal_is_never_slower(executor, seed):
    """No placement takes less time than perfect balance."""
    generator = np.random.default_rng(seed)
    counts = generator.poisson(generator.lognormal(2, 2, size=(2, 64)))
    placement = lb.solve(lb.Problem(counts, 16, 5), "random", seed=seed % 1000)
    taken = executor.step(placement, counts, step_tokens=256)
    ideal = executor.ideal(counts, 16, step_tokens=256)
    assert (ideal.layers <= taken.layers * (1 + 1e-12)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 2000))
def test_more_imbalance_is_never_faster(executor, seed, moved):
    """Tokens that move from the lightest to the heaviest rank never shorten the step."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(50, 500, size=(2, 64)).astype(float)
    before = executor.step(CONTIGUOUS, counts, step_tokens=256)
    rank_load = CONTIGUOUS.rank_load(counts[0:2])
    for layer in range(2):
        slots = CONTIGUOUS.physical_to_logical[layer].reshape(16, 5)
        single = CONTIGUOUS.replica_count[layer][slots] == 1
        hot = slots[rank_load[layer].argmax()][single[rank_load[layer].argmax()]]
        cold = slots[rank_load[layer].argmin()][single[rank_load[layer].argmin()]]
        if hot.size and cold.size:
            amount = min(moved, counts[layer, cold[0]] - 1)
            counts[layer, cold[0]] -= amount
            counts[layer, hot[0]] += amount
    assert executor.step(CONTIGUOUS, counts, step_tokens=256).total >= before.total * (1 - 1e-12)


def test_migration_is_the_slowest_receiver(executor):
    """Ranks receive at the same time, so that the rank with three experts decides."""
    moves = np.zeros((2, 16), dtype=int)
    moves[:, 3] = [2, 1]
    moves[0, 4] = 2
    expected = 3 * executor.expert_bytes / 1e9
    assert executor.migration_s(moves, 1e9) == pytest.approx(expected)


def test_even_shares_by_source_cost_what_even_shares_cost(executor):
    """Equal shares for every source cost as much as shares without a source, up to rounding."""
    counts = np.random.default_rng(3).poisson(24, (2, 64)).astype(float)
    sources = np.repeat(counts[:, None] / 16, 16, axis=1)
    by_source = np.repeat(CONTIGUOUS.even_share[:, None], 16, axis=1)
    even = executor.step(CONTIGUOUS, counts, None, 256, sources=sources)
    for given_sources in (None, sources):
        step = executor.step(CONTIGUOUS, counts, by_source, 256, sources=given_sources)
        np.testing.assert_allclose(step.layers, even.layers)
        np.testing.assert_allclose(step.rank_experts, even.rank_experts)


def test_local_tokens_travel_less(executor):
    """If every rank has every expert, local-first sends nothing, and even sends 15 of 16 tokens."""
    everywhere = lb.solve(lb.Problem(np.ones((2, 64)), 16, 64), "contiguous")
    counts = np.full((2, 64), 1600.0)
    local = lb.make_dispatcher("local-first")(everywhere, counts)
    near = executor.step(everywhere, counts, local, 256)
    far = executor.step(everywhere, counts, None, 256)
    assert (near.dispatch < far.dispatch).all()
    assert (near.combine < far.combine).all()
    np.testing.assert_allclose(near.rank_experts, far.rank_experts)


def test_ranks_compute_what_their_sources_send(executor):
    """Tokens of expert 0 that start on rank 3 are computed there under local-first."""
    table = CONTIGUOUS.physical_to_logical.copy()
    table[:, 3 * 5] = 0  # rank 3 gives up its copy of expert 15, which has another, for one of 0
    placement = lb.Placement(table, 16)
    counts = np.zeros((2, 64))
    counts[:, 0] = 8000
    sources = np.zeros((2, 16, 64))
    sources[:, 3, 0] = 8000
    share = lb.make_dispatcher("local-first", ranks_per_node=4)(placement, counts)
    step = executor.step(placement, counts, share, 256, sources=sources)
    assert (step.rank_experts.argmax(axis=1) == 3).all()
    np.testing.assert_array_equal(step.expert_wait[:, 0], step.expert_wait[:, 15])


def test_other_ranks_are_refused(executor):
    """The error names the ranks of placement and fabric."""
    with pytest.raises(ValueError, match="placement has 2 ranks, the fabric 16"):
        executor.step(lb.Placement([[0, 1]], 2), [[1, 1]])
