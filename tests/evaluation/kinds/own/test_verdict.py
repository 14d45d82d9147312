"""The verdict on own recordings."""

import numpy as np
import pytest

from evaluation.kinds.own import OwnSetup, own_suite, verdict
from evaluation.kinds.own.gain import gain_of
from tests.evaluation.kinds.own.recordings import FIRST, SECOND, counts, saved

#: Step and migration seconds of three windows, and the ideal.
STEP, MIGRATION, IDEAL = [1.0, 1.0, 1.0], [0.0, 0.2, 0.1], [0.9, 0.9, 0.9]
#: Names, and how much slower each is.
SOLVERS = (("x", 0.0), ("y", 0.1))


def record(solver, scenario="steady-a", seed=0, slower=0.0, step_s=0.1, do_nothing=0.5, **scores):
    """A record with 30 engine steps, and 6 s where nothing is done."""
    noise = 1e-3 * np.random.default_rng([seed, len(scenario)]).standard_normal()
    step = [(1 + slower + noise) * each for each in STEP]
    ideal = sum(IDEAL)
    taken = sum(step) + sum(MIGRATION)
    return {
        "kind": "solver",
        "status": "ok",
        "suite": "own-v2",
        "solver": solver,
        "dispatcher": "even",
        "seed": seed,
        "trace_seed": seed,
        "trace_hash": f"{scenario}{seed}",
        "fabric_hash": "f",
        "scenario": {"id": scenario, "window_s": 60.0, "window_steps": 0, "phase": "decode"},
        "windows": {"step_s": step, "migration_s": MIGRATION, "ideal_s": IDEAL},
        "layers": {"balancedness_next": [0.9] * 2},
        "scores": {
            "efficiency": ideal / taken,
            "step_s": sum(step) / (sum(STEP) / step_s),
            "do_nothing": do_nothing,
            "captured": 0.9,
            **scores,
        },
    }


@pytest.fixture
def own(tmp_path):
    """A suite on totals of two conditions."""
    files = [
        saved(tmp_path, "a", counts(FIRST, 1, 10**6)),
        saved(tmp_path, "b", counts(SECOND, 1, 10**6), "prefill"),
    ]
    return own_suite(tmp_path / "own", files)


def test_gain_is_in_seconds_of_all_layers():
    """3.3 s for 30 steps where 5.4 s were taken without balancing."""
    one = record("x")
    gain = gain_of([one], 29.0)
    taken = sum(one["windows"]["step_s"]) + 0.3
    assert gain.step_s == pytest.approx(29 * taken / 30)
    assert gain.nothing_s == pytest.approx(29 * (2.7 / 0.5) / 30)
    assert gain.saved == pytest.approx(1 - taken / 5.4)
    assert (gain.interval, gain.repetitions) == (None, 1)
    assert gain.migration == pytest.approx(0.3 / taken)


def test_interval_of_a_gain_is_over_repetitions():
    """Scenarios of one repetition are one observation."""
    records = [record("x", name, seed) for seed in range(5) for name in ("steady-a", "steady-bb")]
    gain = gain_of(records, 1.0)
    assert gain.repetitions == 5
    assert gain.interval[0] < gain.saved < gain.interval[1]
    assert gain.interval[1] - gain.interval[0] < 0.002


def both_sides(solvers):
    """Records of solvers, with how much slower each is, on both sides."""
    change = {"shift_efficiency": 0.4, "recovery_windows": 1.5}
    return [
        record(solver, name, seed, slower, **more)
        for solver, slower in solvers.items()
        for seed in range(5)
        for name, more in (("steady-a", {}), ("a-to-b", change))
    ]


def test_three_sentences(own):
    """What to use, what a change costs, and how sure it is."""
    steady, change, sure = verdict(own, both_sides({"good": 0.0, "near": 0.0001, "bad": 0.2}))
    wanted = "In a steady state of decode use good (or near, as good within 0.5 %): a decode step"
    assert steady.startswith(wanted)
    # 5.4 s of 30 steps without balancing, over 58 layers of which two ran
    assert "instead of 5.22 s, 2.03 s less, migration included" in steady
    assert "so that it saves 38.9 % of the time (95 % interval" in steady
    assert "90 % of what knowing each window before would gain" in steady
    assert "The next, bad, is slower by 18." in steady
    # a is decode and b is prefill: their steps have no common seconds
    assert change.startswith("When one condition gives way to another use good")
    assert "migration included, it saves" in change
    assert "runs at 49 % of the later speed (worst: a-to-b), and 1.5 windows of 60 s" in change
    assert sure.startswith("How sure: intervals are over 5 independent draws")


def test_balancing_that_does_not_pay_is_said_so(own):
    """If the best is slower than doing nothing."""
    records = [record("x", seed=seed, do_nothing=0.85) for seed in range(5)]
    steady, sure = verdict(own, records)
    assert "balancing does not pay: with x, the best" in steady
    assert "No other solver ran" in steady
    assert sure.startswith("How sure")


def test_nothing_is_said_without_a_ranking(own):
    """Where no solver ran."""
    assert verdict(own, []) == []


def test_one_recording_has_its_limits(tmp_path):
    """Few windows of one draw, and no other condition."""
    file = saved(tmp_path, "a", counts(FIRST, 40, 128))
    own = own_suite(tmp_path / "own", [file], OwnSetup(window_steps=10))
    records = [record("x"), record("y", slower=0.1)]
    _, change, sure = verdict(own, records)
    assert change.startswith("No change was recorded")
    assert "its own 3 windows make the intervals, fewer than 8" in sure
    assert "slower by" in verdict(own, records)[0]


def test_one_draw_makes_no_interval(own):
    """As with --seed 0."""
    records = [
        record(name, f"steady-a{n}", slower=slow) for n in range(2) for name, slow in SOLVERS
    ]
    steady, sure = verdict(own, records)
    assert "95 % interval" not in steady
    assert "drawn once, which says nothing about other draws; leave --seed out for 5" in sure
