"""The slices of a timeline do not overlap and cover the step of every rank."""

import json
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

import lb
from evaluation.step import timeline
from evaluation.step.engine_step import overlap_schedule

CONTIGUOUS = lb.solve(lb.Problem(np.ones((2, 64)), 16, 5), "contiguous")


@pytest.mark.parametrize("interference", [0.0, 0.35])
@pytest.mark.parametrize("plan", ["serial", "two-stream", "communication"])
def test_slices_of_a_stream_do_not_overlap_and_cover_the_step(
    executor, plan, interference, tmp_path
):
    """A rank is a process and a stream a thread; the last slice ends with the step."""
    counts = np.random.default_rng(0).poisson(24, (2, 64))
    step = executor.step(CONTIGUOUS, counts, step_tokens=256)
    schedule = overlap_schedule(step, plan, 2, interference)
    path = tmp_path / "step.json"
    timeline.write(timeline.of_step(step, schedule), path)
    events = json.loads(path.read_text())["traceEvents"]
    tracks = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    assert {process for process, _ in tracks} == set(range(16))
    for slices in tracks.values():
        for before, after in pairwise(sorted(slices)):
            assert after[0] >= before[1] - 1e-6
    end = max(slices[-1][1] for slices in map(sorted, tracks.values()))
    assert end == pytest.approx(schedule.total * 1e6)
    assert list(tmp_path.iterdir()) == [path]


def test_arrows_join_the_slowest_rank_to_all_others(executor):
    """Each flow starts on the slowest rank and ends on another one."""
    counts = np.random.default_rng(1).poisson(24, (2, 64))
    step = executor.step(CONTIGUOUS, counts, step_tokens=256)
    events = timeline.of_step(step, overlap_schedule(step, "serial", 1))
    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    assert starts.keys() == ends.keys()
    assert len(starts) == 2 * 2 * 15  # layers, all-to-alls, other ranks
    for flow, start in starts.items():
        assert start["pid"] != ends[flow]["pid"]
        assert start["ts"] <= ends[flow]["ts"]


def test_a_pipeline_has_a_track_a_stream(executor):
    """The streams of a pipeline are threads of one process."""
    counts = np.random.default_rng(0).poisson(24, (2, 64))
    step = executor.step(CONTIGUOUS, counts, step_tokens=256)
    events = timeline.of_schedule(overlap_schedule(step, "communication", 2))
    names = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert names == {"compute", "communication"}
