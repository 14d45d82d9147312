"""A whole step is its parts; overlap never costs; the critical path adds up."""

from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.step.engine_step import iteration, overlapped
from hardware.faults import Jitter

CONTIGUOUS = lb.solve(lb.Problem(np.ones((2, 64)), 16, 5), "contiguous")
COUNTS = np.random.default_rng(0).poisson(24, (2, 64))


def test_parts_add_up_and_drafts_cost_a_layer_and_a_head(executor):
    """DeepSeek-V2-Lite: 26 MoE layers, one dense; a draft is one layer more and one head more."""
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=256)
    whole = iteration(executor, step, 16)
    assert whole.total == pytest.approx(sum(whole.parts().values()))
    assert whole.moe == pytest.approx(step.total / 2 * 26)
    drafting = replace(executor, drafts=1)
    more = iteration(drafting, step, 16)
    assert more.head == pytest.approx(2 * whole.head)
    assert more.drafts == pytest.approx(step.total / 2)


def test_overlap_is_between_the_longest_stream_and_no_overlap(executor):
    """Two micro-batches take at least their busiest stream and at most one after another."""
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=256)
    for plan in ("two-stream", "communication"):
        ran = overlapped(step, plan, 2)
        assert ran.total <= 2 * step.total * (1 + 1e-9)
        assert ran.total >= max(ran.busy().values()) * ran.total
    assert overlapped(step, "serial", 2).total == pytest.approx(2 * step.total)
    with pytest.raises(ValueError, match="plan = 'magic' is not one of serial"):
        overlapped(step, "magic", 2)


def test_the_critical_path_adds_up_to_the_step(executor):
    """Four pieces a layer; the rank named is the one nobody waits for."""
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=257)
    path = step.critical_path
    assert len(path) == 8
    assert sum(piece.seconds for piece in path) == pytest.approx(step.total)
    for piece in path:
        if piece.phase == "experts":
            assert step.expert_wait[piece.layer, piece.rank] == 0


def test_jitter_is_reproducible_and_makes_ranks_wait(executor):
    """The same seed and step number give the same step; noise lengthens the barriers."""
    noisy = replace(executor, jitter=Jitter(0.2, seed=1))
    first, again = (noisy.step(CONTIGUOUS, COUNTS, step_tokens=256, number=5) for _ in range(2))
    assert first.total == again.total
    assert first.total > executor.step(CONTIGUOUS, COUNTS, step_tokens=256).total
    assert noisy.step(CONTIGUOUS, COUNTS, step_tokens=256, number=6).total != first.total


def test_sources_at_home_are_cheaper(executor):
    """Tokens that start on the rank of their expert cross nothing; sources must add up."""
    experts = CONTIGUOUS.physical_to_logical.reshape(2, 16, 5)
    home = np.zeros((2, 16, 64))
    for layer in range(2):
        for rank in range(16):
            share = 1 / CONTIGUOUS.replica_count[layer, experts[layer, rank]]
            home[layer, rank, experts[layer, rank]] = COUNTS[layer, experts[layer, rank]] * share
    even = np.repeat(COUNTS[:, None, :] / 16, 16, axis=1)
    near = executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=home)
    far = executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=even)
    assert (near.dispatch < far.dispatch).all()
    assert (near.combine < far.combine).all()
    with pytest.raises(ValueError, match="do not add up"):
        executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=2 * even)
    with pytest.raises(ValueError, match=r"sources has shape \(2, 16, 3\)"):
        executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=even[:, :, :3])
