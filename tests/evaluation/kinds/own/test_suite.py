"""A suite on a user's own recordings."""

import numpy as np
import pytest

from evaluation.kinds.own import OwnSetup, own_suite
from evaluation.kinds.own.window import FEWEST_STEPS
from evaluation.replay.traffic import traffic_of, windows_of
from tests.evaluation.kinds.own.recordings import FIRST, SECOND, counts, saved
from traces.generators.loads import distance


def test_totals_are_judged_steady_and_under_changes(tmp_path):
    """Two files: two steady states, and the change from either to the other."""
    files = [
        saved(tmp_path, "decode", counts(FIRST, 1, 10**6)),
        saved(tmp_path, "prompts", counts(SECOND, 1, 10**6), "prefill"),
    ]
    own = own_suite(tmp_path / "own", files)
    assert own.suite.scenario_ids == [
        "steady-decode",
        "steady-prompts",
        "decode-to-prompts",
        "prompts-to-decode",
    ]
    for scenario in own.suite.scenarios:
        scenario.check()
    change = own.suite.scenarios[2]
    windows = list(windows_of(traffic_of(change, 0), change))
    # four windows of decode, then prefill
    assert [window.phases[0] for window in windows] == ["decode"] * 4 + ["prefill"] * 6
    # 256 experts over 32 ranks are 8 slots, and one more
    assert change.slots_per_rank == 9
    # drawn from its shares
    assert distance(windows[0].load, FIRST).total_variation < 0.05
    assert distance(windows[-1].load, SECOND).total_variation < 0.05


def test_a_long_recording_is_replayed_as_it_is(tmp_path):
    """Its steps are engine steps, in twelve windows, and there is one repetition."""
    recorded = counts(FIRST, 12 * FEWEST_STEPS, 128)
    file = saved(tmp_path, "steps", recorded)
    own = own_suite(tmp_path / "own", [file], OwnSetup(num_ranks=64, slots=320))
    (scenario,) = own.suite.scenarios
    assert (scenario.window_steps, scenario.slots_per_rank) == (500, 5)
    assert own.is_one_draw
    windows = list(windows_of(traffic_of(scenario, 0), scenario))
    assert len(windows) == 12
    assert (windows[3].load == recorded[1500:2000].sum(axis=0)).all()


def test_times_make_windows_of_a_minute(tmp_path):
    """Where the recording has six of them; or those of the length that is asked for."""
    recorded = counts(FIRST, 80, 128)
    file = saved(tmp_path, "steps", recorded, time_s=5.0 * np.arange(80))
    (scenario,) = own_suite(tmp_path / "a", [file]).suite.scenarios
    assert (scenario.window_s, scenario.window_steps) == (60.0, 0)
    assert len(list(windows_of(traffic_of(scenario, 0), scenario))) == 6
    asked = OwnSetup(window_steps=20)
    (scenario,) = own_suite(tmp_path / "b", [file], asked).suite.scenarios
    assert scenario.window_steps == 20
    assert len(list(windows_of(traffic_of(scenario, 0), scenario))) == 4


def test_halves_of_a_short_recording_are_apart(tmp_path):
    """Solvers see the first half, and the second is judged, if their loads differ."""
    changing = np.concatenate([counts(FIRST, 10, 512), counts(SECOND, 10, 512, seed=1)])
    own = own_suite(tmp_path / "own", [saved(tmp_path, "a", changing)])
    (scenario,) = own.suite.scenarios
    window = next(iter(windows_of(traffic_of(scenario, 0), scenario)))
    assert distance(window.observed, FIRST).total_variation < 0.05
    assert distance(window.load, SECOND).total_variation < 0.05
    # 512 tokens a step were recorded, 16 a rank
    assert own.traffic[0].tokens_per_rank == 16
    assert "solvers see the first, and the second is judged" in own.recordings[0].notes[-1]


def test_halves_that_differ_by_chance_are_one_load(tmp_path):
    """Else few tokens would make the next window look like another load."""
    own = own_suite(tmp_path / "own", [saved(tmp_path, "a", counts(FIRST, 20, 512))])
    assert own.recordings[0].judged is None
    assert "both are drawn from all of it" in own.recordings[0].notes[-1]


def test_many_layers_are_sampled(tmp_path):
    """Twelve of 20, others for each seed, alike on both sides of a change."""
    shares = np.random.default_rng(3).dirichlet(np.full(256, 2.0), (2, 20))
    files = [
        saved(tmp_path, name, counts(share, 1, 10**6))
        for name, share in zip(("a", "b"), shares, strict=True)
    ]
    own = own_suite(tmp_path / "own", files)
    assert own.layer_factor == 58 / 12
    steady = own.suite.scenarios[0]
    loads = [next(iter(windows_of(traffic_of(steady, seed), steady))).load for seed in (0, 1)]
    assert [load.shape for load in loads] == [(12, 256)] * 2
    assert distance(*loads).total_variation > 0.05


def test_conditions_that_span_the_others_are_replayed(tmp_path):
    """Three of five, the two farthest apart among them; or all that are asked for."""
    mixed = [(1 - part) * FIRST + part * SECOND for part in (0, 0.1, 0.5, 0.9, 1)]
    files = [saved(tmp_path, f"c{n}", counts(share, 1, 10**6)) for n, share in enumerate(mixed)]
    own = own_suite(tmp_path / "own", files)
    assert [one.name for one in own.replayed] == ["c0", "c2", "c4"]
    assert [(one.name, other.name) for one, other in own.changes] == [("c0", "c4"), ("c4", "c0")]
    every = own_suite(tmp_path / "own", files, OwnSetup(every_condition=True))
    assert len(every.replayed) == 5


def test_lengths_come_from_names(tmp_path):
    """As in the recordings of DeepSeek-R1."""
    file = saved(tmp_path, "decode_in500out1500", counts(FIRST, 1, 10**6), "unknown")
    own = own_suite(tmp_path / "own", [file])
    (traffic,) = own.traffic
    assert (traffic.prompt_tokens, traffic.output_tokens, traffic.kv_tokens) == (500, 1500, 1250)
    assert (own.recordings[0].phase, own.recordings[0].notes[0][:13]) == ("decode", "a single step")


def test_a_workload_is_judged_as_it_is(tmp_path):
    """Requests and routing of the user's own."""
    path = tmp_path / "day.toml"
    path.write_text(
        """
        [batching]
        sequences = 64
        step_s = 0.1
        [requests]
        count = 40_000
        arrivals.rate = 60
        lengths = { prompt_mean = 100, output_mean = 10 }
        [routing]
        loads = "deepseek-r1"
        layers = 2
        """
    )
    own = own_suite(tmp_path / "own", [str(path)])
    (scenario,) = own.suite.scenarios
    assert scenario.workload == (str(path),)
    assert len(list(windows_of(traffic_of(scenario, 0), scenario))) == 11


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ({"slots": 300}, "--slots 300 do not divide over --ranks 32"),
        ({"slots": 128, "model": "deepseek-v3"}, "--slots 128 < 256 experts"),
        ({"window_steps": 3, "window_s": 3.0}, "give one of them"),
        ({"window_s": 0.0}, "--window-s 0 is outside"),
        ({"phase": "training"}, "--phase training is not decode or prefill"),
        ({}, "recorded on 'mystery', which is no preset; give --model, such as .*deepseek-v3"),
        ({"model": "qwen3-235b-a22b"}, "has experts = 256, the model qwen3-235b-a22b has 128"),
        ({"model": "nosuch"}, "nosuch"),
        ({"model": "deepseek-v3", "fabric": "nosuch"}, "nosuch"),
        ({"model": "deepseek-v3", "num_ranks": 4000}, "4000"),
    ],
)
def test_what_cannot_be_judged_is_named(tmp_path, setup, message):
    """With what to give instead."""
    file = saved(tmp_path, "one", counts(FIRST, 1, 10**6), model="mystery")
    with pytest.raises(ValueError, match=message):
        own_suite(tmp_path / "own", [file], OwnSetup(**setup))


def test_recordings_are_of_one_model(tmp_path):
    """And of one shape, each with a name of its own."""
    one = saved(tmp_path, "one", counts(FIRST, 1, 10**6))
    other = saved(tmp_path, "other", counts(FIRST[:1], 1, 10**6))
    with pytest.raises(ValueError, match=r"other.parquet: layers = 1 differs from 2 of .*one"):
        own_suite(tmp_path / "own", [one, other])
    with pytest.raises(ValueError, match="both named 'one'"):
        own_suite(tmp_path / "own", [one, one])
    impossible = counts(FIRST, 1, 10**6)
    impossible[0, 1, 7] += 10**7
    file = saved(tmp_path, "impossible", impossible + (-impossible.sum(axis=2) % 8)[..., None] * 0)
    with pytest.raises(ValueError, match=r"expert 7 of layer 1 has .* > 1 of the tokens"):
        own_suite(tmp_path / "own", [file])
