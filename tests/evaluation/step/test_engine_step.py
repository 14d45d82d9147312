"""An engine step is the sum of its parts, and overlap never makes it longer."""

from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.step.engine_step import engine_step, overlap_schedule
from hardware.faults import Jitter

CONTIGUOUS = lb.solve(lb.Problem(np.ones((2, 64)), 16, 5), "contiguous")
COUNTS = np.random.default_rng(0).poisson(24, (2, 64))


def _interfering(executor, share):
    kernels = replace(executor.operators.device.kernels, interference=share)
    device = replace(executor.operators.device, kernels=kernels)
    return replace(executor, operators=replace(executor.operators, device=device))


def test_parts_add_up_and_drafts_cost_a_layer_and_a_head(executor):
    """DeepSeek-V2-Lite has 26 MoE layers; a draft adds one MoE layer and one output head.

    The counts have two layers, so that a mean layer takes half of the step.
    """
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=256)
    whole = engine_step(executor, step, 16)
    assert whole.total == pytest.approx(sum(whole.parts().values()))
    assert whole.moe == pytest.approx(step.total / 2 * 26)
    drafting = replace(executor, drafts=1)
    more = engine_step(drafting, step, 16)
    assert more.head == pytest.approx(2 * whole.head)
    assert more.drafts == pytest.approx(step.total / 2)


def test_overlap_is_between_the_longest_stream_and_no_overlap(executor):
    """Two micro-batches take at least their busiest stream and at most twice a step."""
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=256)
    for plan in ("two-stream", "communication"):
        schedule = overlap_schedule(step, plan, 2)
        assert schedule.total <= 2 * step.total * (1 + 1e-9)
        assert schedule.total >= max(schedule.busy().values()) * schedule.total
    assert overlap_schedule(step, "serial", 2).total == pytest.approx(2 * step.total)
    with pytest.raises(ValueError, match="plan = 'magic' is not one of serial"):
        overlap_schedule(step, "magic", 2)


def test_overlap_costs_the_interference_of_the_device(executor):
    """An engine step schedules with the interference of its kernels; serial steps have none."""
    plain, shared = (_interfering(executor, share) for share in (0.0, 0.5))
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=256)
    for plan in ("two-stream", "communication"):
        free, slowed = (
            engine_step(one, step, 32, plan=plan, micro_batches=2).moe for one in (plain, shared)
        )
        assert free < slowed
    alone = [engine_step(one, step, 16).moe for one in (plain, shared)]
    assert alone[0] == alone[1]


def test_the_critical_path_adds_up_to_the_step(executor):
    """A layer has four segments; the rank of a segment is the slowest one."""
    step = executor.step(CONTIGUOUS, COUNTS, step_tokens=257)
    path = step.critical_path
    assert len(path) == 8
    assert sum(segment.seconds for segment in path) == pytest.approx(step.total)
    for segment in path:
        if segment.phase == "experts":
            assert step.expert_wait[segment.layer, segment.rank] == 0


def test_jitter_is_reproducible_and_makes_ranks_wait(executor):
    """Equal seed and step number give the same step; jitter makes ranks wait at the barriers."""
    noisy = replace(executor, jitter=Jitter(0.2, seed=1))
    first, again = (noisy.step(CONTIGUOUS, COUNTS, step_tokens=256, number=5) for _ in range(2))
    assert first.total == again.total
    assert first.total > executor.step(CONTIGUOUS, COUNTS, step_tokens=256).total
    assert noisy.step(CONTIGUOUS, COUNTS, step_tokens=256, number=6).total != first.total


def test_local_sources_are_cheaper(executor):
    """Tokens that start on the rank of their expert need no link; sources must add up."""
    experts = CONTIGUOUS.physical_to_logical.reshape(2, 16, 5)
    local = np.zeros((2, 16, 64))
    for layer in range(2):
        for rank in range(16):
            share = 1 / CONTIGUOUS.replica_count[layer, experts[layer, rank]]
            local[layer, rank, experts[layer, rank]] = COUNTS[layer, experts[layer, rank]] * share
    even = np.repeat(COUNTS[:, None, :] / 16, 16, axis=1)
    near = executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=local)
    far = executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=even)
    assert (near.dispatch < far.dispatch).all()
    assert (near.combine < far.combine).all()
    with pytest.raises(ValueError, match="do not add up"):
        executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=2 * even)
    with pytest.raises(ValueError, match=r"sources has shape \(2, 16, 3\)"):
        executor.step(CONTIGUOUS, COUNTS, step_tokens=256, sources=even[:, :, :3])
