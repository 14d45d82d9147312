"""Scenarios of different workloads are independent, those of one workload paired."""

from dataclasses import replace

import pytest

from evaluation.replay.scenario import Scenario
from evaluation.replay.stream import stream_of

DECODE = Scenario(
    "one", (), "deepseek-v3", 32, 9, 0, workload=("r1-decode-ep32",), window_s=60.0, windows=2
)


def test_each_workload_and_each_seed_have_a_stream_of_their_own():
    """No two of them are equal, the order of two workloads included."""
    names = [["a"], ["b"], ["a", "b"], ["b", "a"], ["ab"]]
    streams = [stream_of(name, seed) for name in names for seed in range(100)]
    assert len(set(streams)) == len(streams)
    assert all(0 <= stream < 2**48 for stream in streams)


def test_a_stream_stays():
    """Records of one suite are reused and compared from one version to the next."""
    assert stream_of(["r1-decode-ep32"], 3) == stream_of(["r1-decode-ep32"], 3) == 61892575297124


def test_the_folder_of_a_file_does_not_matter():
    """A suite gives the same scores wherever its files lie."""
    assert stream_of(["/some/where/mine.toml"], 1) == stream_of(["mine.toml"], 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "two"},
        {"dispatcher": "optimal"},
        {"slots_per_rank": 10},
        {"num_ranks": 64, "slots_per_rank": 5},
        {"history_windows": 8},
        {"forecaster": "mean"},
    ],
    ids=str,
)
def test_what_is_not_of_the_requests_leaves_the_stream(changes):
    """Rows of such scenarios met the same requests."""
    assert replace(DECODE, **changes).trace_seed(4) == DECODE.trace_seed(4)


def test_traces_go_by_the_seed_itself():
    """A generated trace is drawn with it; a recorded one is the same for every seed."""
    trace = Scenario("t", ("ar1-drift",), "deepseek-v3", 32, 9, 1)
    assert trace.trace_seed(4) == 4
    assert replace(trace, trace=("olmoe-domains",)).trace_seed(4) is None
