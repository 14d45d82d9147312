"""A suite on a user's own recordings."""

import numpy as np
import pytest

from evaluation.kinds.own_suite import ENGINE_STEPS, own_suite
from evaluation.replay.traffic import traffic_of, windows_of
from traces import RoutingTrace, save


@pytest.fixture
def recorded(tmp_path):
    """Return a function that saves a recording of 2 layers, and returns its path."""

    def make(name, steps, phase="decode", model="deepseek-v3"):
        counts = np.random.default_rng(len(name)).integers(900, 1100, (steps, 2, 256))
        # experts of a layer share the top-8 of whole tokens
        counts[..., -1] += -counts.sum(axis=2) % 8
        path = tmp_path / f"{name}.parquet"
        save(RoutingTrace(counts.astype(np.int32), model, 8, phase), path)
        return str(path)

    return make


def test_totals_are_judged_steady_and_under_the_change(recorded, tmp_path):
    """Two files: two steady states, and the change from the first to the second."""
    files = [recorded("decode", 1), recorded("prompts", 1, "prefill")]
    suite = own_suite(tmp_path / "own", files)
    assert suite.scenario_ids == ["steady-decode", "steady-prompts", "decode-to-prompts"]
    for scenario in suite.scenarios:
        scenario.check()
    change = suite.scenarios[2]
    windows = list(windows_of(traffic_of(change, 0), change))
    # four windows of decode, then prefill
    assert [window.phases[0] for window in windows] == ["decode"] * 4 + ["prefill"] * 6
    # 256 experts over 32 ranks are 8 slots, and one more
    assert change.slots_per_rank == 9


def test_a_long_recording_is_replayed_as_it_is(recorded, tmp_path):
    """Its steps are engine steps, in twelve windows, and there is one repetition."""
    steps = recorded("steps", ENGINE_STEPS)
    suite = own_suite(tmp_path / "own", [steps], ranks=64, slots=320)
    (scenario,) = suite.scenarios
    assert (scenario.window_steps, scenario.slots_per_rank, suite.seeds) == (500, 5, (0,))
    assert len(list(windows_of(traffic_of(scenario, 0), scenario))) == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slots": 300}, "--slots 300 do not divide over --ranks 32"),
        ({}, "recorded on 'mystery', which is no preset; give --model, such as .*deepseek-v3"),
    ],
)
def test_what_cannot_be_judged_is_named(recorded, tmp_path, options, message):
    """With what to give instead."""
    file = recorded("one", 1, model="mystery")
    with pytest.raises(ValueError, match=message):
        own_suite(tmp_path / "own", [file], **options)
