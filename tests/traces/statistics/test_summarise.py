"""Summaries of whole traces, in memory and stored."""

import importlib
import json
import math

import numpy as np
import pytest

import traces
from traces import writer
from traces.statistics import DESCRIPTIONS, summarise
from traces.statistics.summary import describe

MEASURED = ("overall", "by_layer")
MODULE = importlib.import_module("traces.statistics.summarise")  # the package's is the function


@pytest.fixture
def small_groups(monkeypatch):
    """Row groups of a few rows, so that small traces are read in chunks."""
    monkeypatch.setattr(writer, "ROW_GROUP_BYTES", 512)


def counts(steps=40, layers=3, experts=16, seed=0):
    """Return skewed counts."""
    generator = np.random.default_rng(seed)
    law = generator.lognormal(size=(layers, experts))
    return traces.RoutingTrace(generator.poisson(20 * law, (steps, layers, experts)), "toy", 2)


def tokens(count=330, layers=3, experts=16, top_k=2, seed=0, **fields):
    """Return random choices."""
    noise = np.random.default_rng(seed).gumbel(size=(count, layers, experts))
    ids = np.argsort(-noise - np.linspace(0, 2, experts), axis=2)[:, :, :top_k]
    return traces.TokenTrace(ids, experts, "toy", **fields)


def same(one, other):
    """Assert that two summaries hold the same numbers."""
    for name, values in one.statistics.items():
        assert other.statistics[name] == pytest.approx(values, nan_ok=True, rel=1e-12, abs=1e-12)
    plain = [{k: v for k, v in s.as_dict().items() if k not in MEASURED} for s in (one, other)]
    assert plain[0] == plain[1]
    assert (one.load == other.load).all()
    assert (one.timeline == other.timeline).all()


def test_stored_counts_as_in_memory(tmp_path, small_groups):
    """Chunks of a file give the numbers of the whole, to the order of their sums."""
    trace = counts()
    traces.save(trace, tmp_path / "t.parquet")
    stored = traces.open(tmp_path / "t.parquet")
    assert len(list(stored.blocks())) > 1
    same(summarise(trace, 3), summarise(stored, 3))


@pytest.mark.parametrize("fields", [{}, {"step": np.arange(330) // 7}])
def test_stored_tokens_as_in_memory(tmp_path, small_groups, fields):
    """The same of tokens, in steps and in none."""
    trace = tokens(**fields)
    traces.save(trace, tmp_path / "t.parquet")
    stored = traces.open(tmp_path / "t.parquet")
    assert len(list(stored.parts())) > 1
    asked = {} if fields else {"step_tokens": 50}
    same(summarise(trace, **asked), summarise(stored, **asked))


def test_windows_and_what_is_left_over():
    """Forty steps are 13 windows of 3; the load is of all 40."""
    trace = counts()
    summary = summarise(trace, 3)
    assert (summary.windows, summary.window_steps, summary.steps) == (13, 3, 40)
    assert (summary.load == trace.counts.sum(axis=0)).all()
    assert (summary.timeline == trace.windows(3)).all()


def test_timeline_is_bounded():
    """A hundred windows are drawn in at most 64 bins, and none is lost."""
    trace = counts(steps=100)
    summary = summarise(trace, 1)
    assert (summary.windows, summary.bin_windows, len(summary.timeline)) == (100, 2, 50)
    assert summary.timeline.sum() == trace.counts.sum()


def test_blocks_of_steps_do_not_matter(monkeypatch):
    """A long trace in memory is measured a few steps at a time, with the same result."""
    whole = summarise(counts())
    monkeypatch.setattr(MODULE, "BLOCK_COUNTS", 100)
    assert summarise(counts()).overall == pytest.approx(whole.overall, nan_ok=True)


def test_means_within_steps():
    """Hottest and balancedness are means over the steps that have load."""
    trace = traces.RoutingTrace([[[4, 0]], [[2, 2]], [[0, 0]]], "toy", 1)
    summary = summarise(trace, ep_sizes=(2,))
    assert summary.overall["hottest_step"] == pytest.approx(1.5)
    assert summary.overall["balancedness_ep2"] == pytest.approx(0.75)
    assert summary.overall["hottest"] == pytest.approx(1.5)
    assert summary.step_tokens == (0, pytest.approx(8 / 3), 4)


def test_even_loads():
    """Perfect balance is 1 everywhere, and no drift."""
    summary = summarise(traces.RoutingTrace(np.full((4, 2, 8), 3), "toy", 1), ep_sizes=(2, 3, 8))
    assert summary.overall["balancedness_ep8"] == summary.overall["hottest"] == 1
    assert summary.overall["drift"] == 0
    assert "balancedness_ep3" not in summary.overall


def test_layers_alike_correlate():
    """A layer that is like the next one correlates with it; the last one has no next."""
    trace = counts(layers=1)
    doubled = traces.RoutingTrace(np.repeat(trace.counts, 2, axis=1), "toy", 2)
    found = summarise(doubled).statistics["next_layer"]
    assert found[0] == pytest.approx(1)
    assert math.isnan(found[1])


def test_pairs_are_sampled_evenly(monkeypatch):
    """Of many tokens every second one is looked at, the same ones in chunks as at once."""
    monkeypatch.setattr(MODULE, "PAIR_TOKENS", 200)
    trace = tokens()
    summary = summarise(trace)
    halved = summarise(traces.TokenTrace(trace.experts[::2], 16, "toy"))
    assert summary.pair_tokens == 165
    assert summary.statistics["coactivation"] == pytest.approx(halved.statistics["coactivation"])
    assert summary.statistics["coupling"] == pytest.approx(
        halved.statistics["coupling"], nan_ok=True
    )


def test_tokens_in_no_steps_are_cut_into_32():
    """By default, and it is said."""
    summary = summarise(tokens(330))
    assert (summary.steps, summary.step_tokens_given) == (33, 10)
    assert summary.windows == 33


def test_recorded_routing_is_far_from_chance():
    """Tokens of DeepSeek-V2-Lite choose experts beyond chance, in a layer and to the next."""
    overall = summarise(traces.open("dsv2lite-intent")).overall
    assert overall["coactivation"] > 5 * overall["coactivation_by_chance"]
    assert overall["coupling"] > 5 * overall["coupling_by_chance"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"window_steps": 41}, "window_steps = 41 is outside 1 <= window_steps <= 40"),
        ({"window_steps": 0}, "window_steps = 0 is outside"),
        ({"step_tokens": 5}, "these are, leave it"),
        ({"lags": (2, 1)}, "lags = "),
        ({"lags": (0,)}, "lags = "),
    ],
)
def test_wrong_questions(asked, said):
    """What does not go with the trace is refused by name."""
    with pytest.raises(ValueError, match=said):
        summarise(counts(), **asked)


def test_too_many_step_tokens():
    """More tokens a step than there are make no step."""
    with pytest.raises(ValueError, match="step_tokens = 331 breaks"):
        summarise(tokens(330), step_tokens=331)


def test_rows_and_json():
    """A row a layer; every statistic is described; JSON has no NaN."""
    summary = summarise(tokens(), ep_sizes=(8,))
    assert [row["layer"] for row in summary.rows] == [0, 1, 2]
    for name in summary.statistics:
        assert describe(name) in DESCRIPTIONS.values()
    text = json.dumps(summary.as_dict(), allow_nan=False)
    assert json.loads(text)["by_layer"][2]["coupling"] is None


def test_no_load_at_all():
    """A trace of idle steps has no skew, and raises no warning."""
    summary = summarise(traces.RoutingTrace(np.zeros((3, 2, 4), int), "toy", 1), ep_sizes=(2,))
    assert all(math.isnan(value) for value in summary.overall.values())
