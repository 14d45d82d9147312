"""Continuous batching: which tokens are in which step."""

import numpy as np
import pytest

from tests.traces.workload.streams import poisson
from traces import RequestTrace
from traces.workload import ContinuousBatching
from traces.workload.composer import Composer
from traces.workload.composition import DECODE, PREFILL


def composed(requests, batching, chunk=16):
    """All compositions of a stream."""
    composer = Composer(requests, batching)
    return list(iter(lambda: composer.take(chunk), None))


def joined(compositions, name):
    """One column of all steps."""
    return np.concatenate([getattr(composition, name) for composition in compositions])


def request_steps(requests, batching, chunk=16):
    """[(request, phase, first position, tokens, step number)] of all tokens, spans unrolled."""
    rows = []
    for part in composed(requests, batching, chunk):
        steps = part.decode_steps + part.first
        for request, first, length, position in part.spans.tolist():
            for n in range(length):
                rows.append((request, DECODE, position + n, 1, int(steps[first + n])))
        for request, step, tokens, position in part.pieces.tolist():
            rows.append((request, PREFILL, position, tokens, step + part.first))
    return sorted(rows, key=lambda row: (row[0], row[2]))


@pytest.mark.parametrize("stage", ["decode", "prefill", "both"])
@pytest.mark.parametrize("chunked", [True, False])
def test_every_token_of_every_request_is_computed_once(stage, chunked):
    """Positions of a request follow one another from the first to the last, in rising steps."""
    requests = poisson(120)
    batching = ContinuousBatching(
        16, 0.05, stage, prefill_tokens=50, prefill_step_s=0.1, chunked=chunked
    )
    rows = request_steps(requests, batching)
    for request in range(requests.num_requests):
        prompt, output = requests.prompt_tokens[request], requests.output_tokens[request]
        own = [row for row in rows if row[0] == request]
        upto = 0 if stage != "decode" else prompt
        for _, phase, position, tokens, _ in own:
            assert position == upto
            assert phase == (PREFILL if position < prompt else DECODE)
            upto += tokens
        assert upto == (prompt if stage == "prefill" else prompt + output)
        assert (np.diff([row[4] for row in own]) > 0).all()


@pytest.mark.parametrize("stage", ["decode", "prefill", "both"])
def test_steps_are_within_their_bounds(stage):
    """The batch, the budget of prefill, and a phase for each step; tokens are those of the rows."""
    requests = poisson(200, rate=500.0)
    batching = ContinuousBatching(12, 0.05, stage, prefill_tokens=100, prefill_step_s=0.1)
    parts = composed(requests, batching)
    tokens, sequences = joined(parts, "tokens"), joined(parts, "sequences")
    phase = joined(parts, "phase")
    assert sequences.max() <= 12
    assert stage == "prefill" or sequences.max() == 12  # 100 tokens are fewer than 12 prompts
    assert sequences.min() >= 1
    assert (tokens[phase == DECODE] == sequences[phase == DECODE]).all()
    assert tokens[phase == PREFILL].max(initial=0) <= 100
    assert set(phase) == {"decode": {DECODE}, "prefill": {PREFILL}}.get(stage, {DECODE, PREFILL})
    sums = np.zeros(len(tokens), dtype=int)
    for _, _, _, number, step in request_steps(requests, batching):
        sums[step] += number
    np.testing.assert_array_equal(sums, tokens)


def test_a_whole_prompt_above_the_budget_has_a_step_of_its_own():
    """Without chunks, prompts of 30, 200 and 30 tokens take three steps at a budget of 100."""
    requests = RequestTrace([0.0, 0.0, 0.0], [30, 200, 30], [1, 1, 1])
    for chunked, tokens in ((False, [30, 200, 30]), (True, [100, 100, 60])):
        batching = ContinuousBatching(8, stage="prefill", prefill_tokens=100, chunked=chunked)
        (part,) = composed(requests, batching)
        assert part.tokens.tolist() == tokens


def test_time_rises_by_the_step_and_skips_what_is_idle():
    """Two answers of 2 tokens, 9 s apart: steps at 1, 1.5, 10 and 10.5 s and no others."""
    requests = RequestTrace([1.0, 10.0], [5, 5], [2, 2])
    (part,) = composed(requests, ContinuousBatching(8, step_s=0.5))
    assert part.time_s.tolist() == [1.0, 1.5, 10.0, 10.5]


def test_requests_wait_while_the_batch_is_full():
    """Three answers of 2 tokens in a batch of 2: the third runs when the first two are done."""
    requests = RequestTrace([0.0, 0.0, 0.0], [5, 5, 5], [2, 2, 2])
    (part,) = composed(requests, ContinuousBatching(2, step_s=0.5))
    assert part.sequences.tolist() == [2, 2, 1, 1]


def test_both_phases_alternate_while_both_have_work():
    """Two prompts of a step each: prefill, decode of the first, prefill, then both decode."""
    requests = RequestTrace([0.0, 0.0], [10, 10], [3, 3])
    batching = ContinuousBatching(8, stage="both", prefill_tokens=10)
    (part,) = composed(requests, batching)
    assert part.phase.tolist() == [PREFILL, DECODE, PREFILL, DECODE, DECODE, DECODE]
    assert part.tokens.tolist() == [10, 1, 10, 2, 2, 1]


@pytest.mark.parametrize("stage", ["decode", "prefill", "both"])
def test_the_size_of_chunks_changes_nothing(stage):
    """Steps and tokens are the same however many are taken at once, and in pieces of time."""
    requests = poisson(100)
    batching = ContinuousBatching(8, 0.05, stage, prefill_tokens=70)
    assert request_steps(requests, batching, 1) == request_steps(requests, batching, 1000)
    whole = composed(requests, batching, 10_000)
    composer, times = Composer(requests, batching), []
    for until in np.arange(0.5, whole[0].time_s[-1] + 1, 0.5):
        while (part := composer.take(7, until)) is not None:
            assert part.time_s[-1] < until
            times.append(part.time_s)
    np.testing.assert_array_equal(np.concatenate(times), whole[0].time_s)


@pytest.mark.parametrize(("stage", "column"), [("decode", "output"), ("prefill", "prompt")])
def test_a_request_without_tokens_in_a_phase_that_runs_is_named(stage, column):
    """The error says how to leave it out; a phase that does not run may be empty."""
    lengths = {"prompt": [3, 3], "output": [3, 3]}
    lengths[column] = [3, 0]
    requests = RequestTrace([0.0, 1.0], lengths["prompt"], lengths["output"])
    with pytest.raises(ValueError, match=rf"{column}_tokens of request 1 is 0 < 1.*served"):
        Composer(requests, ContinuousBatching(8, stage=stage))
    other = "prefill" if stage == "decode" else "decode"
    assert composed(requests, ContinuousBatching(8, stage=other))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sequences": 0}, "sequences"),
        ({"step_s": 0.0}, "step_s"),
        ({"stage": "mixed"}, "decode, prefill, both"),
        ({"prefill_tokens": -1}, "prefill_tokens"),
        ({"prefill_step_s": float("nan")}, "prefill_step_s"),
    ],
)
def test_batching_out_of_range_is_refused(changes, text):
    """The error names the parameter or what there is."""
    with pytest.raises(ValueError, match=text):
        ContinuousBatching(**{"sequences": 8} | changes)
