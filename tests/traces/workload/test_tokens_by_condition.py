"""Tokens of each condition, in each step and in all of them."""

import numpy as np
import pytest

from traces import RequestTrace
from traces.workload import ContinuousBatching
from traces.workload.composer import Composer
from traces.workload.composition import DECODE, PREFILL
from traces.workload.tokens_by_condition import summed_tokens, tokens_by_condition

REQUESTS, CONDITIONS = 60, 7
#: Positions at which conditions change; tokens of prompt and answer lie on both sides.
EDGES = np.array([8.0, 20.5])


def composition(**batching):
    """Return all steps of a few requests."""
    random = np.random.default_rng(0)
    arrival = np.sort(random.uniform(0, 20, REQUESTS))
    requests = RequestTrace(
        arrival, random.integers(1, 40, REQUESTS), random.integers(1, 40, REQUESTS)
    )
    made = Composer(requests, ContinuousBatching(8, step_s=0.05, **batching)).take(10_000)
    assert made is not None
    return made


def conditions():
    """Return the condition of each request between the edges, another one in each phase."""
    random = np.random.default_rng(1)
    shape = (REQUESTS, len(EDGES) + 1)
    return {
        phase: random.integers(0, CONDITIONS, shape, dtype=np.int32) for phase in (DECODE, PREFILL)
    }


def one_by_one(made, of_phase):
    """Return [steps, conditions] tokens, counted token by token."""
    tokens = np.zeros((made.num_steps, CONDITIONS), dtype=np.int64)
    for request, step, count, position in made.spans:
        for behind in range(count):
            part = np.searchsorted(EDGES, position + behind, side="right")
            at = made.decode_steps[step + behind]
            tokens[at, of_phase[DECODE][request, part]] += 1
    for request, step, count, position in made.pieces:
        for behind in range(count):
            part = np.searchsorted(EDGES, position + behind, side="right")
            tokens[step, of_phase[PREFILL][request, part]] += 1
    return tokens


@pytest.mark.parametrize("stage", ["decode", "prefill", "both"])
def test_each_step_and_their_sum(stage):
    """Both ways agree with a count of every token."""
    made = composition(stage=stage, prefill_tokens=24, prefill_step_s=0.1)
    expected = one_by_one(made, conditions())
    tokens = tokens_by_condition(made, conditions(), EDGES, CONDITIONS)
    np.testing.assert_array_equal(tokens, expected)
    chosen = np.array([0, 3, 4, made.num_steps - 1])
    total, rows = summed_tokens(made, conditions(), EDGES, CONDITIONS, chosen)
    np.testing.assert_array_equal(total, expected.sum(axis=0))
    np.testing.assert_array_equal(rows, expected[chosen])


def test_without_chosen_steps():
    """The sum alone."""
    made = composition()
    none = np.zeros(0, dtype=np.int64)
    total, rows = summed_tokens(made, conditions(), EDGES, CONDITIONS, none)
    assert total.sum() == made.tokens.sum()
    assert rows.shape == (0, CONDITIONS)
