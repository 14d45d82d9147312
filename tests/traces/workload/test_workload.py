"""Workloads: steps and windows of a stream under a routing."""

import itertools
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import traces
from tests.traces.workload.streams import TASKS, concurrent, poisson, recorded, small_law
from traces import RequestTrace
from traces.header import PHASES
from traces.workload import (
    ContinuousBatching,
    EngineWorkload,
    LawRouting,
    RecordedRouting,
    SequenceKinds,
    Workload,
)

BOTH = ContinuousBatching(16, 0.05, "both", prefill_tokens=80, prefill_step_s=0.1)


def workloads():
    """A law and recordings, under both phases."""
    return {
        "law": Workload(poisson(), small_law(), BOTH, seed=5),
        "recorded": Workload(poisson(domains=TASKS), recorded(), BOTH, seed=5),
    }


def columns(workload):
    """All steps in one piece: counts, times, tokens and phases."""
    parts = list(workload.steps())
    names = ("counts", "time_s", "tokens", "phase", "number", "sequences")
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


@pytest.mark.parametrize("name", ["law", "recorded"])
def test_steps_conserve_tokens(name):
    """Each token adds top_k to each layer; prompts and answers add up to those of the requests."""
    workload = workloads()[name]
    steps = columns(workload)
    sums = steps["counts"].sum(axis=2)
    assert (sums == workload.routing.top_k * steps["tokens"][:, None]).all()
    for phase, column in (("prefill", "prompt_tokens"), ("decode", "output_tokens")):
        of_phase = steps["phase"] == PHASES.index(phase)
        assert steps["tokens"][of_phase].sum() == getattr(workload.requests, column).sum()
    assert steps["sequences"].max() <= workload.batching.sequences
    assert (np.diff(steps["time_s"]) > 0).all()
    assert steps["number"].tolist() == list(range(len(steps["number"])))


@pytest.mark.parametrize("name", ["law", "recorded"])
def test_equal_seeds_give_equal_steps_and_windows(name):
    """And other seeds other counts of the same tokens; global random state stays as it is."""
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    workload = workloads()[name]
    first, again = columns(workload), columns(workloads()[name])
    other = columns(replace(workload, seed=6))
    np.testing.assert_array_equal(first["counts"], again["counts"])
    np.testing.assert_array_equal(first["tokens"], other["tokens"])
    assert (first["counts"] != other["counts"]).any()
    for one, two in zip(
        workload.windows(window_s=2.0), workloads()[name].windows(window_s=2.0), strict=True
    ):
        np.testing.assert_array_equal(one.counts, two.counts)
        np.testing.assert_array_equal(one.sample.counts, two.sample.counts)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("name", ["law", "recorded"])
@pytest.mark.parametrize("length", [{"window_steps": 70}, {"window_s": 1.5}])
def test_windows_hold_the_steps_of_their_time(name, length):
    """Bounds, steps and tokens are those of the stream; sampled steps lie within and weigh all."""
    workload = workloads()[name]
    steps = columns(workload)
    end = None
    for window in workload.windows(**length, sampled_steps=3):
        inside = (steps["time_s"] >= window.start_s) & (steps["time_s"] < window.end_s)
        assert window.num_steps == inside.sum() == window.weight.sum()
        assert window.tokens == steps["tokens"][inside].sum()
        assert (window.counts.sum(axis=1) == workload.routing.top_k * window.tokens).all()
        assert end in (None, window.start_s)
        end = window.end_s
        sample = window.sample
        assert set(sample.number) <= set(steps["number"][inside])
        np.testing.assert_array_equal(sample.tokens, steps["tokens"][sample.number])
        assert (window.counts >= sample.counts.sum(axis=0)).all()
        for phase in np.unique(steps["phase"][inside]):
            found = (sample.phase == phase).sum()
            assert found == min(3, (steps["phase"][inside] == phase).sum())


@pytest.mark.parametrize("name", ["law", "recorded"])
@pytest.mark.parametrize("length", [{"window_steps": 70}, {"window_s": 1.5}])
def test_both_parts_of_a_split_side_by_side(name, length):
    """Each pair of windows is what the two parts give alone."""
    workload = workloads()[name]
    pairs = list(workload.split_windows(**length, sampled_steps=3))
    assert len(pairs) > 1
    for together, part in zip(zip(*pairs, strict=True), workload.split(), strict=True):
        for one, two in zip(together, part.windows(**length, sampled_steps=3), strict=True):
            np.testing.assert_array_equal(one.counts, two.counts)
            np.testing.assert_array_equal(one.sample.counts, two.sample.counts)
            assert (one.start_s, one.end_s) == (two.start_s, two.end_s)


def test_a_window_of_steps_has_as_many_steps():
    """Idle time adds none; the incomplete last window is left out."""
    workload = workloads()["law"]
    total = len(columns(workload)["tokens"])
    windows = list(workload.windows(window_steps=70))
    assert [window.num_steps for window in windows] == [70] * (total // 70)


def test_windows_of_seconds_may_be_empty():
    """Between two requests 9 s apart, windows of 2 s have no steps and no counts."""
    requests = RequestTrace([0.0, 9.0], [5, 5], [2, 2])
    workload = Workload(requests, small_law(), ContinuousBatching(8, step_s=0.5))
    windows = list(workload.windows(window_s=2.0))
    assert [window.num_steps for window in windows] == [2, 0, 0, 0]
    assert windows[1].counts.sum() == 0
    assert windows[1].sample.counts.shape == (0, 3, 16)


@pytest.mark.parametrize("kinds", [SequenceKinds(), SequenceKinds(0.1, 8)])
def test_a_window_has_the_mean_and_variance_of_its_steps(kinds):
    """Over 400 seeds, sums drawn at once and sums of single steps agree, alike sequences too.

    48 cells with a relative error of sqrt(2 / 400) = 7 % of each variance: 2 % of their mean.
    """
    requests = concurrent(12, 40)
    routing = LawRouting(small_law().law, kinds=kinds)
    batching = ContinuousBatching(12)
    once, added, sampled = [], [], []
    for seed in range(400):
        workload = Workload(requests, routing, batching, seed=seed)
        (window,) = workload.windows(window_steps=40, sampled_steps=4)
        once.append(window.counts)
        sampled.append(window.sample.counts.sum(axis=0))
        added.append(sum(part.counts.sum(axis=0) for part in workload.steps()))
    once, added, sampled = np.array(once), np.array(added), np.array(sampled)
    variance = added.var(axis=0)
    error = (once.mean(axis=0) - added.mean(axis=0)) / np.sqrt(2 * variance / 400)
    assert np.abs(error).max() < 5
    assert (once.var(axis=0) / variance).mean() == pytest.approx(1.0, abs=0.08)
    if kinds.count == 1:  # steps are independent, so a sample covaries with the sum by its own
        with_sum = ((once - once.mean(axis=0)) * (sampled - sampled.mean(axis=0))).mean(axis=0)
        assert with_sum.sum() / sampled.var(axis=0).sum() == pytest.approx(1.0, abs=0.1)


def test_alike_sequences_spread_more_than_independent_tokens():
    """Sequences of 40 tokens with correlation 0.1: variance times 1 + 39 x 0.1 = 4.9.

    Within a tenth: 200 seeds, 48 cells; chances are not far below 1, which the law assumes.
    """
    plain, kinds = (
        np.array(
            [
                next(
                    Workload(
                        concurrent(12, 40),
                        LawRouting(small_law().law, kinds=of),
                        ContinuousBatching(12),
                        seed=seed,
                    ).windows(window_steps=40)
                ).counts
                for seed in range(200)
            ]
        )
        for of in (SequenceKinds(), SequenceKinds(0.1, 64))
    )
    assert np.abs(kinds.mean(axis=0) / plain.mean(axis=0) - 1).mean() < 0.05
    assert (kinds.var(axis=0) / plain.var(axis=0)).mean() == pytest.approx(4.9, rel=0.1)


def test_the_pools_share_no_recorded_sequence():
    """Tokens that name their sequence by their expert: history and judged never meet.

    20 sequences of 5 tokens, the tokens of sequence s all choosing expert s.
    """
    ids = np.repeat(np.arange(20), 5)[:, None, None]
    trace = traces.TokenTrace(ids, 20, "toy", sample_lengths=np.full(20, 5))
    workload = Workload(
        concurrent(64, 30, ("all",)), RecordedRouting({"all": trace}), ContinuousBatching(64)
    )
    history, judged = (next(part.windows(window_steps=30)).counts[0] for part in workload.split())
    assert not ((history > 0) & (judged > 0)).any()
    assert ((history > 0) | (judged > 0)).all()
    assert (history > 0).sum() == (judged > 0).sum() == 10
    other = next(replace(workload, seed=1).split()[0].windows(window_steps=30)).counts[0]
    assert (other > 0).tolist() != (history > 0).tolist()


def test_pools_of_a_law_are_independent_draws():
    """The same steps and tokens, other counts."""
    history, judged = (columns(part) for part in workloads()["law"].split())
    np.testing.assert_array_equal(history["time_s"], judged["time_s"])
    np.testing.assert_array_equal(history["tokens"], judged["tokens"])
    assert (history["counts"] != judged["counts"]).any()


def test_steps_before_the_start_are_left_out():
    """The batch is that of the whole stream, and numbers and times go on."""
    workload = workloads()["law"]
    whole, late = columns(workload), columns(replace(workload, start_s=5.0))
    kept = whole["time_s"] >= 5.0
    for name in ("time_s", "tokens", "number", "phase"):
        np.testing.assert_array_equal(late[name], whole[name][kept])
    first = next(replace(workload, start_s=5.0).windows(window_s=1.0))
    assert (first.start_s, first.end_s) == (5.0, 6.0)


def test_a_drifting_law_plays_in_time():
    """Chances of late steps are others than those of early ones; without a clock, they are not."""
    law = small_law(drift_sigma=1.0, drift_steps=50.0, update_steps=8).law
    requests = concurrent(2000, 200)
    for step_s, moves in ((1.0, True), (None, False)):
        workload = Workload(
            requests, LawRouting(law, law_step_s=step_s), ContinuousBatching(2000, step_s=1.0)
        )
        counts = columns(workload)["counts"]
        early, late = (part.sum(axis=0) / part.sum() for part in (counts[:8], counts[-8:]))
        assert (np.abs(early - late).sum() / 2 > 0.05) == moves


def test_both_kinds_are_workloads():
    """What judges takes either by its protocol."""
    assert all(isinstance(workload, EngineWorkload) for workload in workloads().values())


@pytest.mark.parametrize(
    ("length", "text"),
    [
        ({}, "exactly one"),
        ({"window_steps": 2, "window_s": 1.0}, "exactly one"),
        ({"window_steps": 0}, "window_steps"),
        ({"window_s": -1.0}, "window_s"),
        ({"window_steps": 2, "sampled_steps": 0}, "sampled_steps"),
        ({"window_steps": 10**6}, "fewer than window_steps = 1000000"),
        ({"window_s": 1e6}, r"within the first window_s = 1e\+06"),
    ],
)
def test_windows_that_cannot_be_are_refused(length, text):
    """The error names the value."""
    with pytest.raises(ValueError, match=text):
        list(workloads()["law"].windows(**length))


@pytest.mark.parametrize(
    ("changes", "text"), [({"pool": "both"}, "history, judged"), ({"start_s": -1.0}, "start_s")]
)
def test_a_workload_out_of_range_is_refused(changes, text):
    """The error names the value."""
    with pytest.raises(ValueError, match=text):
        replace(workloads()["law"], **changes)


def test_a_domain_without_routing_is_named():
    """Requests of a domain that was not recorded cannot be routed."""
    workload = Workload(poisson(domains=("intent", "poetry")), recorded(), BOTH)
    with pytest.raises(ValueError, match="'poetry'"):
        next(workload.steps())


def test_a_domain_of_one_sequence_cannot_be_split():
    """Two pools need a sequence each."""
    trace = traces.TokenTrace([[[0]], [[1]]], 4, "toy", sample_lengths=[2])
    workload = Workload(concurrent(2, 3), RecordedRouting({"intent": trace}), ContinuousBatching(2))
    assert next(workload.steps()).counts.sum() == 6
    with pytest.raises(ValueError, match="'intent' has 1 recorded sequences < 2"):
        next(workload.split()[0].steps())


def test_one_expert_takes_everything():
    """A model of one expert: counts are tokens."""
    workload = Workload(poisson(20), small_law(experts=1, top_k=1), BOTH)
    for part in itertools.islice(workload.steps(), 2):
        assert (part.counts[:, :, 0] == part.tokens[:, None]).all()


def test_memory_does_not_grow_with_time():
    """A stream ten times as long takes no more than a short one, but for its requests."""
    peaks = []
    for count in (300, 3000):
        workload = Workload(poisson(count), small_law(), ContinuousBatching(64))
        for _ in workload.steps():
            pass  # loads and compiles
        tracemalloc.start()
        steps = sum(part.num_steps for part in workload.steps())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert steps > 1000
    assert peaks[1] < 1.2 * peaks[0] + 100_000
