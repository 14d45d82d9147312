"""A timeline shows every step and transfer of the range in slices that do not overlap."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.pricing.work import Cost
from evaluation.serving.results.timeline import of_serving
from evaluation.step import timeline

EXECUTORS = ("prefill 0", "decode 0")


def tracks(events):
    """Return the slices of every thread as (start, end), in µs."""
    slices = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            slices[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    return slices


def threads(events, process):
    """Return the names of the threads of a process."""
    named = [e for e in events if e["name"] == "thread_name" and e["pid"] == process]
    return [event["args"]["name"] for event in named]


def test_a_step_shows_the_mean_group_then_the_wait_for_the_slowest(steps):
    """Stages start with their step; without imbalance there is no wait."""
    events = of_serving(steps, EXECUTORS)
    shown = {
        (e["name"], round(e["ts"]), round(e["dur"]))
        for e in events
        if e["ph"] == "X" and e["pid"] == 1 and e["tid"] < 4
    }
    assert shown == {
        ("step", 2_750_000, 500_000),
        ("attention", 2_750_000, 100_000),
        ("wait for attention", 2_850_000, 50_000),
        ("experts", 2_750_000, 50_000),
        ("wait for experts", 2_800_000, 100_000),
        ("communication", 2_750_000, 100_000),
        ("step", 3_250_000, 250_000),
        ("attention", 3_250_000, 100_000),
        ("experts", 3_250_000, 100_000),
        ("communication", 3_250_000, 50_000),
    }
    step = next(e for e in events if e["name"] == "step" and e["pid"] == 0)
    assert step["args"] == {"prefill tokens": 300, "sequences": 0}


def test_processes_and_threads_are_named(steps):
    """Each executor is a process; an executor with transfers has lanes for them."""
    events = of_serving(steps, EXECUTORS)
    processes = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert processes == {0: "prefill 0", 1: "decode 0"}
    stages = ["step", "attention", "experts", "communication"]
    assert threads(events, 0) == [*stages, "KV out 0"]
    assert threads(events, 1) == [*stages, "KV in 0"]


def test_a_transfer_is_an_arrow_between_slices_of_both_sides(steps):
    """The arrow starts on the slice of the source and ends on that of the target."""
    events = of_serving(steps, EXECUTORS)
    start, end = (next(e for e in events if e["ph"] == phase) for phase in "sf")
    assert (start["pid"], start["ts"]) == (0, pytest.approx(2.5e6))
    assert (end["pid"], end["ts"]) == (1, pytest.approx(2.75e6))
    assert start["id"] == end["id"]
    for event in (start, end):
        (whole,) = tracks(events)[event["pid"], event["tid"]]
        assert whole[0] <= event["ts"] <= whole[1]


def test_simultaneous_transfers_take_separate_lanes():
    """A lane is reused when it is free, and never has two transfers at a time."""
    log = StepLog(0.0, 10.0)
    for request, (start, end) in enumerate([(0, 2), (1, 3), (2, 4), (2.5, 5), (6, 7)]):
        log.add_transfer(request, 0, 1, start, end)
    log.add_transfer(9, 1, 0, 0, 10)
    events = of_serving(log, EXECUTORS)
    lanes = ["KV out 0", "KV out 1", "KV out 2"]
    assert threads(events, 0)[4:] == [*lanes, "KV in 0"]
    assert threads(events, 1)[4:] == ["KV out 0", "KV in 0", "KV in 1", "KV in 2"]
    for slices in tracks(events).values():
        for before, after in pairwise(sorted(slices)):
            assert after[0] >= before[1]
    assert sum(len(slices) for slices in tracks(events).values()) == 12


def test_counters_begin_with_the_state_at_the_start_of_the_range(steps, samples):
    """The range from 2 to 4 s starts with the last samples before it, and has those at 3 s."""
    counted = [e for e in of_serving(steps, EXECUTORS, samples) if e["ph"] == "C"]
    requests = [(e["pid"], e["ts"], e["args"]) for e in counted if e["name"] == "requests"]
    assert requests == [
        (0, 2e6, {"running": 0, "waiting": 2}),
        (0, 3e6, {"running": 0, "waiting": 0}),
        (1, 3e6, {"running": 1, "waiting": 0}),
    ]
    assert not any(e["ph"] == "C" for e in of_serving(steps, EXECUTORS))


def test_the_file_is_a_chrome_trace(steps, samples, tmp_path):
    """The file is valid JSON in the Chrome trace format."""
    path = tmp_path / "serving.json"
    events = of_serving(steps, EXECUTORS, samples)
    timeline.write(events, path)
    assert json.loads(path.read_text())["traceEvents"] == events


def test_an_executor_without_a_name_is_refused():
    """The error names the number of the executor."""
    log = StepLog(0.0, 1.0)
    log.add(2, 0.0, Cost(0.5, 0, 0, 0, 0, 0), 1, 1)
    with pytest.raises(ValueError, match="executor 2 has no name; 2 are named"):
        of_serving(log, EXECUTORS)
