"""Forecasters are scored causally, by error and by the balance that follows."""

import dataclasses
import io
import json
from itertools import pairwise

import numpy as np
import pytest
from rich.console import Console

import lb
import traces
from evaluation.candidates.candidate import Candidate, ForecasterCandidate, parameters
from evaluation.kinds import forecast, suite_file
from evaluation.kinds.forecast import FORECAST
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import tasks
from evaluation.leaderboard import table
from evaluation.replay.scenario import Scenario
from evaluation.replay.stream import stream_of
from evaluation.replay.traffic import traffic_of, windows_of

SUITE = """
id = "tiny-v1"
kind = "forecast"
[[scenario]]
id = "domains"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
history_windows = 2
"""


def scenario(**changes):
    """Return four ranks of four slots, two windows of history."""
    fields = {"num_ranks": 4, "slots_per_rank": 4, "window_steps": 1, "history_windows": 2}
    return Scenario("tiny", ("none",), "none", **(fields | changes))


def scored(recorded, forecaster, **changes):
    """Return the log of a forecaster on a trace in windows of one step, or as ``changes`` say."""
    setting = scenario(**changes)
    return forecast.score_forecasts(windows_of(recorded, setting), setting, forecaster)


def trace(windows=5, seed=0):
    """Return random counts of two layers and ten experts."""
    counts = np.random.default_rng(seed).integers(1, 100, (windows, 2, 10))
    return traces.RoutingTrace(counts, "toy", top_k=2)


def test_errors_by_hand():
    """Sum of absolute differences over the load, and over the hottest tenth: here one expert."""
    counts = np.full((2, 1, 10), 10)
    counts[1, 0, 3] = 110
    result = scored(traces.RoutingTrace(counts, "toy", top_k=1), lb.make_forecaster("last"))
    np.testing.assert_allclose(result.error, [[100 / 200]])
    np.testing.assert_allclose(result.hot_error, [[100 / 110]])


def test_only_windows_that_have_ended_are_shown():
    """At most history_windows, the youngest last, never the one to come."""
    seen = []

    def spy(load):
        seen.append(load.copy())
        return load[-1].copy()

    recorded = trace().counts
    scored(trace(), spy)
    assert [len(load) for load in seen] == [1, 2, 2, 2]
    for number, load in enumerate(seen, start=1):
        np.testing.assert_array_equal(load, recorded[max(0, number - 2) : number])


def test_windows_are_sums_of_steps():
    """Two steps a window, the fifth left out: one window observed and one forecast."""
    seen = []

    def spy(load):
        seen.append(load)
        return load[-1].copy()

    scored(trace(), spy, window_steps=2)
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0][0], trace().counts[:2].sum(axis=0))


def test_perfect_forecasts_reach_foresight():
    """An oracle has no error, and the balance of a placement made for the window itself."""
    ahead = iter(trace().counts[1:].astype(float))
    result = scored(trace(), lambda load: next(ahead))
    assert np.max(result.error) == np.max(result.hot_error) == 0
    for name in forecast.DISPATCHERS:
        np.testing.assert_array_equal(result.balancedness[name], result.foresight[name])


def test_balance_is_that_of_the_planner_on_the_window_that_came():
    """Recomputed for the second window of a forecast that ignores the load."""
    flat = np.ones((2, 10))
    result = scored(trace(), lambda load: flat)
    load = trace().counts[2].astype(float)
    placement = lb.solve(lb.Problem(flat, 4, 4), forecast.PLANNER)
    np.testing.assert_allclose(result.balancedness["even"][1], placement.balancedness(load))
    share = lb.make_dispatcher("optimal")(placement, load)
    np.testing.assert_allclose(
        result.balancedness["optimal"][1], placement.balancedness(load, share)
    )


def test_what_is_observed_is_not_what_is_judged():
    """The forecaster sees the observed tokens only; errors are those against the judged load."""
    windows = [
        dataclasses.replace(window, observed=2 * window.load)
        for window in windows_of(trace(), scenario())
    ]
    result = forecast.score_forecasts(windows, scenario(), lb.make_forecaster("last"))
    loads = np.stack([window.load for window in windows])
    expected = np.abs(2 * loads[:-1] - loads[1:]).sum(axis=2) / loads[1:].sum(axis=2)
    np.testing.assert_allclose(result.error, expected)


def test_layers_without_load_are_left_out_of_errors():
    """An idle layer neither helps nor hurts the mean."""
    counts = np.array(trace(3).counts)
    counts[:, 1] = 0
    recorded = traces.RoutingTrace(counts, "toy", top_k=2)
    result = scored(recorded, lb.make_forecaster("last"))
    assert np.isnan(np.array(result.error)[:, 1]).all()
    alone = traces.RoutingTrace(counts[:, :1], "toy", top_k=2)
    expected = scored(alone, lb.make_forecaster("last"))
    assert forecast.mean(result.error) == pytest.approx(forecast.mean(expected.error))


@pytest.mark.parametrize(
    ("forecaster", "message"),
    [
        (lambda load: load[-1] - 50, "forecast"),
        (lambda load: load[-1, :1], "forecast"),
        (lambda load: load[-1] * np.inf, "forecast"),
    ],
)
def test_invalid_forecasts_are_refused(forecaster, message):
    """Negative, of another shape, or not finite: with the name of what is wrong."""
    with pytest.raises(ValueError, match=message):
        scored(trace(), forecaster)


def test_a_trace_of_one_window_is_refused():
    """One is observed, so two are needed."""
    with pytest.raises(ValueError, match="fewer than 2 windows; 1 observed and the next one"):
        scored(trace(), lb.make_forecaster("last"), window_steps=3)


def test_a_fitted_solver_has_parameters_that_json_takes():
    """What was learned appears in a record as its text."""
    history = np.random.default_rng(1).lognormal(size=(4, 2, 16))
    for made in (lb.make_forecaster("learned").fit(history), lb.make("learned").fit(history)):
        text = json.dumps(parameters(made))
        assert "Ridge" in text


def test_candidates_of_the_two_kinds_know_their_own_names():
    """A forecaster is no solver, and the nearest name suggested is of its kind."""
    assert ForecasterCandidate("ewma").make().half_life == 1.0
    with pytest.raises(ValueError, match="unknown forecaster 'ewm': did you mean 'ewma'"):
        ForecasterCandidate("ewm").make()
    with pytest.raises(ValueError, match="unknown solver 'ewma'"):
        Candidate("ewma").make()
    with pytest.raises(ValueError, match=r"forecaster 'none\.py:x': there is no file"):
        ForecasterCandidate("none.py:x").make()


def test_a_suite_says_its_kind(tmp_path):
    """Solvers are the default; another kind is refused by name."""
    path = tmp_path / "own.toml"
    path.write_text(SUITE)
    assert suite_file.load(path).kind == "forecast"
    path.write_text(SUITE.replace('kind = "forecast"\n', ""))
    assert suite_file.load(path).kind == "solver"
    path.write_text(SUITE.replace('"forecast"', '"weather"'))
    with pytest.raises(ValueError, match="kind = 'weather' is not one of solver, fit, forecast"):
        suite_file.load(path)


def of_workload(scenario, **changes):
    """Return the record of the forecaster ``last`` on a workload scenario, seed 1."""
    candidate = ForecasterCandidate("last", seed=1)
    (task,) = tasks(
        Suite("toy-v1", (dataclasses.replace(scenario, **changes),), "forecast", (1,)), [candidate]
    )
    return task.run()


def test_windows_of_a_workload_are_forecast(small_workload):
    """Each seed is another repetition; the error is that of other sequences' tokens."""
    record = of_workload(small_workload)
    assert record["status"] == "ok", record
    assert record["trace_seed"] == stream_of(small_workload.workload, 1)
    windows = windows_of(traffic_of(small_workload, 1), small_workload)
    error = [
        np.abs(before.observed - window.load).sum() / window.load.sum()
        for before, window in pairwise(windows)
    ]
    assert record["scores"]["error"] == pytest.approx(np.mean(error), rel=1e-2)
    assert record["scores"]["foresight_even"] > record["scores"]["balancedness_even"]


def test_a_workload_may_be_split_in_time(small_workload):
    """What learns sees the first windows, and the last ones are scored."""
    record = of_workload(small_workload, split=(0.5, 0.0, 0.5))
    assert record["split"] == {"train": 2, "validation": 0, "test": 2}
    assert len(record["windows"]["error"]) == 2


@pytest.fixture
def podlab(podlab, tmp_path):
    """Return the command, in a folder that has the suite ``tiny.toml``."""
    (tmp_path / "tiny.toml").write_text(SUITE)
    return podlab


def test_the_command_compares_forecasters(podlab, tmp_path):
    """All registered ones, and a user's own as well; a failure costs its own row only."""
    (tmp_path / "own.py").write_text(
        "def mine(load):\n    return load.mean(axis=0)\n"
        "def bad(load):\n    raise RuntimeError('fog')\n"
    )
    own = ("--forecaster", "own.py:mine", "--forecaster", "own.py:bad")
    done = podlab("bench", "--suite", "tiny.toml", *own, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    for name in (*lb.available_forecasters(), "mine", "(perfect foresight)"):
        assert f" {name} " in done.stdout
    assert "failed: bad on domains: RuntimeError: fog" in done.stdout
    result = [json.loads(path.read_text()) for path in tmp_path.rglob("*.json")]
    by_name = {record["forecaster"]: record for record in result}
    assert by_name["mean"]["scores"] == by_name["mine"]["scores"]
    assert by_name["mean"]["kind"] == "forecast"
    assert by_name["learned"]["parameters"]["memory"] == 8
    assert len(by_name["mean"]["layers"]["error"]) == 3
    assert len(by_name["mean"]["windows"]["balancedness_even"]) == 5
    assert "reused" in podlab("bench", "--suite", "tiny.toml").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--suite", "tiny.toml", "--solver", "greedy"), "compares forecasters; name them by"),
        (("--suite", "tiny.toml", "--forecaster", "lst"), "did you mean 'last'"),
        (("--suite", "default", "--forecaster", "last"), "compares solvers; name them by"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(podlab, arguments, message):
    """Before anything runs, with exit code 2."""
    done = podlab("bench", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def record(forecaster, even, error, scenario="one", seconds=1e-3):
    """Return what a run leaves behind, as far as the table reads it."""
    scores = {"error": error, "hot_error": 0.2, "balancedness_even": even}
    scores |= {"balancedness_optimal": 0.9, "foresight_even": 0.98, "foresight_optimal": 0.99}
    return {
        "kind": "forecast",
        "suite": "toy-v1",
        "forecaster": forecaster,
        "scenario": {"id": scenario},
        "seed": 0,
        "status": "ok",
        "scores": scores,
        "windows": {"balancedness_even": [even - 0.01, even + 0.01, even, even]},
        "wall": {"forecast_s_median": seconds},
    }


def table_of(records):
    """Return the text of a table."""
    console = Console(file=io.StringIO(), width=100)
    table.render(FORECAST.leaderboard(FORECAST.ranking(records)), "title", console)
    return console.file.getvalue()


def test_best_balance_comes_first_and_means_are_over_scenarios():
    """Ranked by the even split; error in per cent; the time is the median."""
    text = table_of(
        [
            record("low", 0.6, 0.1),
            record("low", 0.6, 0.1, "two"),
            record("high", 0.8, 0.2, seconds=1e-3),
            record("high", 0.9, 0.4, "two", seconds=3e-3),
        ]
    )
    lines = [line.split() for line in text.splitlines()]
    assert [line[1] for line in lines if line and line[0].isdigit()] == ["high", "low"]
    (line,) = (line for line in lines if "high" in line)
    assert line[2] == "0.850"
    assert line[-6:] == ["0.900", "30.0", "%", "20.0", "%", "2.00"]


def test_perfect_foresight_is_a_line_of_its_own():
    """It is not ranked, and has the balance that the planner reaches with the load that came."""
    text = table_of([record("a", 0.7, 0.1)])
    (best,) = (line for line in text.splitlines() if forecast.FORESIGHT in line)
    assert best.split() == ["(perfect", "foresight)", "0.980", "0.990"]
    failed = record("a", 0, 0) | {"status": "failed", "reason": "ValueError: no"}
    assert forecast.FORESIGHT not in table_of([failed])
