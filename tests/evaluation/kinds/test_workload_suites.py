"""Bundled suites of workloads: what they say of themselves holds, and their scenarios replay."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest

import traces.workload
from evaluation.candidates.candidate import Candidate
from evaluation.kinds import suite_file
from evaluation.kinds.task import SuiteTask
from evaluation.replay.workload_windows import workload_path
from hardware import Model
from traces.generators import loads

SUITES = ("ep-sizes", "models", "diurnal")


def scenarios(*names):
    """Return the scenarios of suites."""
    return [scenario for name in names for scenario in suite_file.load(name).scenarios]


def tables(scenario):
    """Return the tables of the workloads of a scenario."""
    return [tomllib.loads(workload_path(name).read_text()) for name in scenario.workload]


def test_sizes_of_the_ep_group():
    """All seven, and no rank of the larger ones holds more than two experts."""
    slots = {each.num_ranks: each.slots_per_rank for each in scenarios("ep-sizes")}
    assert list(slots) == [8, 16, 32, 64, 144, 288, 320]
    assert max(slots[ranks] for ranks in (144, 288, 320)) == 2


def test_four_models_steady_and_under_a_shift():
    """Each has a law of its own experts, top_k and layers."""
    changes = {}
    for scenario in scenarios("models"):
        (table,) = tables(scenario)
        law, model = loads.preset(table["routing"]["loads"]), Model.preset(scenario.model)
        shape = law.num_layers, law.num_experts, law.top_k
        assert shape == (model.moe_layers, model.experts, model.top_k)
        changes.setdefault(scenario.model, []).append(scenario.change_window)
    names = ["deepseek-v3", "qwen3-235b-a22b", "kimi-k2", "gpt-oss-120b"]
    assert changes == {name: [None, 4] for name in names}


@pytest.mark.parametrize("scenario", scenarios("ep-sizes", "models"), ids=lambda each: each.id)
def test_requests_fill_95_percent_of_the_batch_to_the_end(scenario):
    """Each stream alone fills it; the last one lasts until the last window is over."""
    (table,) = tables(scenario)
    batching, streams = table["batching"], table["requests"]
    streams = streams if isinstance(streams, list) else [streams]
    for stream in streams:
        running = stream["arrivals"]["rate"] * stream["lengths"]["output_mean"]
        running *= batching["step_s"]
        assert running == pytest.approx(0.95 * batching["sequences"], rel=0.01)
    end_s = table["start_s"] + scenario.windows * scenario.window_s
    last = streams[-1]
    assert last.get("start_s", 0.0) + last["count"] / last["arrivals"]["rate"] > end_s
    changes = [stream["start_s"] for stream in streams[1:]]
    changes += [entry["start_s"] for entry in streams[0].get("schedule", [])[1:]]
    if scenario.change_window is not None:
        assert changes == [table["start_s"] + scenario.change_window * scenario.window_s]


def test_the_mix_of_a_day_changes():
    """Each kind of requests has the largest share of the tokens at another time of the day."""
    requests = traces.workload.load(workload_path("r1-day-decode")).requests
    hour = (requests.arrival_s // 300).astype(int)
    tokens = np.zeros((24, len(requests.domain_names)))
    inside = hour < 24
    np.add.at(
        tokens,
        (hour[inside], requests.domain[inside]),
        requests.output_tokens[inside].astype(float),
    )
    shares = dict(zip(requests.domain_names, (tokens.T / tokens.sum(axis=1)), strict=True))
    most = {name: int(share.argmax()) for name, share in shares.items()}
    assert 0 <= most["agents"] <= 5 < most["documents"] <= 11 < most["code"] <= 15 < most["chat"]
    load = tokens.sum(axis=1) * 0.06 / (2048 * 300)
    assert 0.35 < load.min() < 0.45
    assert 0.75 < load.max() < 0.9


@pytest.mark.parametrize("name", SUITES)
def test_a_short_form_replays(name):
    """Three windows of one scenario; balancing gains, and perfect balance is not reached."""
    suite = suite_file.load(name)
    scenario = {"ep-sizes": "r1-ep16", "models": "gpt-oss-120b-steady"}.get(
        name, "r1-day-decode-1h"
    )
    (scenario,) = [each for each in suite.scenarios if each.id == scenario]
    short = replace(scenario, window_s=60.0, windows=3, sampled_steps=2, change_window=None)
    record = SuiteTask(suite.id, suite.kind, short, Candidate("greedy", 0)).run()
    assert record["status"] == "ok", record.get("reason")
    scores = record["scores"]
    assert scores["do_nothing"] < scores["efficiency"] < 1


def test_a_batch_that_does_not_fit_is_refused():
    """The cache of the batch counts, in decode: 96 sequences with 20,000 tokens each."""
    (scenario,) = [each for each in scenarios("ep-sizes") if each.id == "r1-ep32"]
    scenario.check()
    with pytest.raises(ValueError, match="scenario 'r1-ep32': deepseek-v3 does not fit"):
        replace(scenario, kv_tokens=20_000.0).check()
    replace(scenario, kv_tokens=20_000.0, phase="prefill").check()
