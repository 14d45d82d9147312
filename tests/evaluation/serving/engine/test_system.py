"""The serving system keeps every request: memory, preemption, caches, transfers, telemetry."""

import numpy as np
import pytest

from schedulers.views import HOLD
from tests.evaluation.serving.small import Linear, Part, Small, poisson
from traces import RequestTrace


def always_first(requests, workers):
    """Give everything to worker 0, whether it has free capacity or not."""
    return np.zeros(len(requests), dtype=np.int64)


def mixed(count=300, rate=4.0, seed=0):
    """Return requests of many lengths."""
    random = np.random.default_rng([seed, 1])
    prompt, output = random.integers(1, 200, count), random.integers(1, 40, count)
    return poisson(rate, count, seed, prompt, output)


APART = (
    Part("prefill", Linear(0.01, 1e-3), count=2, groups=2, step_tokens=256),
    Part("decode", Linear(0.02, 0, 1e-3), count=2, groups=3, drafts=1, acceptance=0.7),
)
TOGETHER = (Part("both", Linear(0.02, 1e-3, 1e-3), count=2, groups=2, step_tokens=256),)
#: So little cache that requests wait for it and are sent away.
TIGHT = (
    Part("prefill", Linear(0.01, 1e-4), kv_capacity=512, block_tokens=16, step_tokens=256),
    Part("decode", Linear(0.05, 0, 1e-3), groups=2, kv_capacity=512, block_tokens=16),
)
TIGHT_TOGETHER = (
    Part("both", Linear(0.02, 1e-3), groups=2, kv_capacity=512, block_tokens=16, step_tokens=256),
)
LAYOUTS = {"apart": APART, "both": TOGETHER, "tight": TIGHT, "tight both": TIGHT_TOGETHER}


@pytest.mark.parametrize("parts", LAYOUTS.values(), ids=LAYOUTS)
def test_every_request_finishes_once_with_all_its_tokens(parts):
    """Tokens that steps made are those that were asked for; no cache is left behind."""
    small = Small(mixed(rate=12.0), *parts, cache_s=1e-4).run()
    assert small.system.finished_count == 300
    assert (small.log.generated == small.log.output_tokens).all()
    assert small.samples["tokens"].sum() == small.log.output_tokens.sum()
    small.env.run(small.env.now + 1)
    for executor in small.executors:
        assert not executor.busy
        tables = (executor.memory.used, executor.decode.expected, executor.prefill.expected)
        for table in (*tables, executor.prefill.waiting_tokens, executor.decode.batch.count):
            assert not table.any()


def test_tight_memory_does_preempt():
    """The tight layouts above are tight enough that sequences are sent away, many of them."""
    for parts in (TIGHT, TIGHT_TOGETHER):
        assert Small(mixed(rate=12.0), *parts).run().log.preemptions.sum() > 10


@pytest.mark.parametrize("parts", LAYOUTS.values(), ids=LAYOUTS)
def test_one_seed_one_result(parts):
    """Two runs of one seed write the same log to the last bit."""
    one, two = (Small(mixed(rate=12.0), *parts, seed=5).run().log.columns for _ in range(2))
    for name, column in one.items():
        np.testing.assert_array_equal(column, two[name], err_msg=name)


def test_another_seed_accepts_other_drafts():
    """The seed reaches what is drawn."""
    one, two = (Small(mixed(), *APART, seed=seed).run().log.finish_s for seed in (1, 2))
    assert (one != two).any()


def test_first_tokens_come_later_under_more_load():
    """The mean time to first token rises with the rate of the same requests."""
    means = [Small(mixed(rate=4.0).rescale(f), *APART).run().ttft_s.mean() for f in (1, 3, 9)]
    assert means[0] < means[1] < means[2]


def test_a_sequence_that_arrives_during_a_step_waits_for_its_end():
    """The second token of each request is a whole step after its cache has arrived, no less."""
    trace = RequestTrace([0.0, 0.5], [1, 1], [5, 5])
    small = Small(trace, Part("prefill", Linear(0.25)), Part("decode", Linear(1.0))).run()
    # caches arrive at 0.25 and 0.75 s; steps begin at 0.25, 1.25, 2.25 s ...
    assert small.log.second_token_s.tolist() == [1.25, 2.25]
    assert small.log.finish_s.tolist() == [4.25, 5.25]


@pytest.mark.parametrize("careless", [True, False], ids=["deferred", "held by the router"])
def test_a_full_decode_holds_back_the_next_prompt(careless):
    """The cache stays with prefill until decode has memory for it, and only then is transferred."""
    trace = RequestTrace([0.0, 0.0], [10, 10], [6, 6])
    parts = Part("prefill", Linear(1.0)), Part("decode", Linear(1.0), kv_capacity=18)
    routers = {"second": always_first, "decode": always_first} if careless else {}
    small = Small(trace, *parts, cache_s=0.01, **routers).run(5.0)
    prefill, decode = small.executors
    assert decode.decode.deferred == ([[1]] if careless else [[]])
    assert small.system.decode_stage.backlog == ([] if careless else [1])
    assert prefill.memory.prompts.tolist() == [11]
    assert small.log.transfers_s[1] == 0
    small.run()
    assert small.log.finish_s.tolist() == pytest.approx([6.1, 11.2])
    assert small.requests.entered_s[1] == pytest.approx(6.2)


def test_a_full_prefill_waits_for_decode():
    """While held caches fill a prefill group it begins no other prompt."""
    trace = RequestTrace([0.0, 0.0, 0.0], [10] * 3, [6] * 3)
    parts = (
        Part("prefill", Linear(1.0), kv_capacity=12),
        Part("decode", Linear(1.0), kv_capacity=18),
    )
    small = Small(trace, *parts, second=always_first, decode=always_first).run()
    # 1 is computed once 0 has left for decode; 2 only once decode has let 1 in, at 6 s
    assert small.log.prefill_start_s.tolist() == [0, 1, 6]


def test_preemption_computes_anew_and_loses_nothing():
    """The youngest goes, is read again with what it had generated, and ends with all tokens."""
    trace = RequestTrace([0.0, 0.0], [10, 10], [20, 20])
    parts = Part("prefill", Linear(0.75)), Part("decode", Linear(1.0), kv_capacity=45)
    small = Small(trace, *parts).run()
    log = small.log
    assert log.preemptions.tolist() == [0, 1]
    assert log.generated.tolist() == [20, 20]
    assert small.samples["tokens"].sum() == 40
    assert log.first_token_s.tolist() == [0.75, 1.5]
    # after 14 and 13 steps they have 24 + 23 > 45 tokens in cache; its 14th token is in none yet
    assert small.requests.need[1] == 24
    assert log.recomputed_tokens.tolist() == [0, 23]


def test_the_last_sequence_makes_way_for_a_prompt_that_holds_the_rest():
    """A group never holds more than its cache, also with one sequence in it; nothing is lost."""
    trace = RequestTrace([0.0, 8.0], [10, 12], [20, 2])
    part = Part("both", Linear(1.0), kv_capacity=30, step_tokens=4)
    small = Small(trace, part)
    for now_s in np.arange(0.5, 40.0):
        small.run(now_s)
        assert small.executors[0].memory.used[0] <= 30
    log = small.run().log
    assert log.preemptions.tolist() == [1, 0]
    assert log.generated.tolist() == [20, 2]


def test_a_sequence_alone_in_its_group_is_never_sent_away():
    """It would only come back to as little memory."""
    part = Part("both", Linear(1.0), kv_capacity=15)
    assert Small(RequestTrace([0.0], [10], [20]), part).run().log.preemptions.tolist() == [0]


def repeated(times, tokens, hashes):
    """Return requests with prompts of 4-token blocks of these ids."""
    flat = [block for request in hashes for block in request]
    blocks = [len(request) for request in hashes]
    ones = [1] * len(times)
    return RequestTrace(
        times, tokens, ones, prefix_hashes=flat, prefix_blocks=blocks, block_tokens=4
    )


def test_a_prompt_seen_before_is_not_computed_again():
    """Whole leading blocks that another prompt left are taken over, and save their time."""
    trace = repeated([0, 100, 200, 300], [10, 10, 8, 9], [[1, 2, 3], [1, 2, 4], [1, 2], [5, 2, 6]])
    part = Part("prefill", Linear(0.0, 1.0), block_tokens=4)
    small = Small(trace, part).run()
    # the last token of a prompt is always computed, and the end of a prompt is no whole block
    assert small.log.cached_tokens.tolist() == [0, 8, 7, 0]
    assert small.ttft_s.tolist() == [10, 2, 1, 9]


@pytest.mark.parametrize(("kv_capacity", "kept"), [(16, 0), (20, 4), (24, 7)])
def test_a_prompt_that_needs_the_memory_drives_out_what_was_kept(kv_capacity, kept):
    """Blocks are kept only in memory that no prompt has needed since, the first ones longest."""
    trace = repeated([0, 100, 200], [8, 15, 8], [[1, 2], [3, 4, 5, 6], [1, 2]])
    part = Part("prefill", Linear(0.0, 1.0), block_tokens=4, kv_capacity=kv_capacity)
    assert Small(trace, part).run().log.cached_tokens.tolist() == [0, 0, kept]


def test_stale_telemetry_changes_choices_only():
    """With nothing to choose, its age changes no time; with choices it still loses nothing."""
    alone = Part("prefill", Linear(0.01, 1e-3)), Part("decode", Linear(0.02))
    now, late = (Small(mixed(), *alone, telemetry_s=age).run().log.columns for age in (0, 5))
    for name, column in now.items():
        np.testing.assert_array_equal(column, late[name], err_msg=name)
    now, late = (Small(mixed(), *APART, telemetry_s=age).run().log for age in (0, 5))
    assert (now.decode_group != late.decode_group).any()
    assert (now.generated == late.generated).all()


def test_a_router_that_holds_on_a_stale_report_is_asked_at_the_next():
    """What was held because a report said full goes on once a report says otherwise."""
    trace = RequestTrace([0.0, 0.0], [10, 10], [6, 6])
    parts = Part("prefill", Linear(1.0)), Part("decode", Linear(1.0), kv_capacity=18)
    small = Small(trace, *parts, telemetry_s=50.0)
    small.run(40.0)
    assert small.system.decode_stage.backlog == [1]
    assert not small.system.stuck
    assert small.run().log.finish_s.tolist() == [6, 55]


def test_transfers_of_one_port_come_one_after_another():
    """Caches leave a prefill group in the order in which prompts were done, one at a time."""
    trace = RequestTrace([0.0] * 4, [10] * 4, [5] * 4)
    parts = Part("prefill", Linear(0.1)), Part("decode", Linear(1.0), count=4)
    small = Small(trace, *parts, cache_s=0.1).run()
    sent = small.steps.transfers
    assert [one.request for one in sent] == [0, 1, 2, 3]
    assert [one.start_s for one in sent] == pytest.approx([0.1, 1.1, 2.1, 3.1])
    assert [one.end_s for one in sent] == pytest.approx([1.1, 2.1, 3.1, 4.1])
    assert len({one.target for one in sent}) == 4


def test_held_for_ever_is_called_stuck():
    """A router that never answers leaves a system that says so, also once a report is due."""

    def never(requests, workers):
        return np.full(len(requests), HOLD, dtype=np.int64)

    trace = RequestTrace([0.0], [10], [6])
    for telemetry_s in (0.0, 5.0):
        small = Small(trace, Part("prefill"), Part("decode"), second=never, telemetry_s=telemetry_s)
        assert not small.run(0.5).system.stuck
        assert small.run(20.0).system.stuck
