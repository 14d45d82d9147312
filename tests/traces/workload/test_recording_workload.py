"""A recording of engine steps as a workload of its own."""

from dataclasses import replace

import numpy as np
import pytest

from traces import RoutingTrace
from traces.workload import EngineWorkload, RecordingWorkload

COUNTS = np.random.default_rng(0).integers(0, 50, (600, 2, 4))
TRACE = RoutingTrace(COUNTS, "toy", 1, "decode")


def test_steps_are_those_of_the_recording():
    """Counts, tokens, phase and times, in chunks."""
    workload = RecordingWorkload(TRACE, 0.05)
    parts = list(workload.steps())
    np.testing.assert_array_equal(np.concatenate([part.counts for part in parts]), COUNTS)
    times = np.concatenate([part.time_s for part in parts])
    np.testing.assert_allclose(times, np.arange(600) * 0.05)
    assert {name for part in parts for name in part.phases} == {"decode"}
    assert isinstance(workload, EngineWorkload)
    assert parts[0].trace().phase == "decode"


def test_windows_are_sums_of_recorded_steps():
    """Of steps, as RoutingTrace.windows makes them; of seconds, by when steps start."""
    times = np.sort(np.random.default_rng(1).uniform(0, 100, 600))
    workload = RecordingWorkload(TRACE, times)
    by_steps = list(workload.windows(window_steps=70, sampled_steps=5))
    np.testing.assert_array_equal([w.counts for w in by_steps], TRACE.windows(70))
    assert all(w.weight.sum() == 70 for w in by_steps)
    for window in workload.windows(window_s=10.0):
        inside = (times >= window.start_s) & (times < window.end_s)
        np.testing.assert_array_equal(window.counts, COUNTS[inside].sum(axis=0))


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.0, "time_s"), ([0.0, 1.0], r"give \[600\]"), (np.linspace(1, 0, 600), "falls")],
)
def test_times_that_do_not_fit_are_refused(time_s, text):
    """The error says what is needed."""
    with pytest.raises(ValueError, match=text):
        RecordingWorkload(TRACE, time_s)


def test_times_of_the_recording_are_taken():
    """Unless others are given; without any there is no time axis."""
    times = np.linspace(3, 90, 600)
    assert RecordingWorkload(replace(TRACE, time_s=times)).time_s.tolist() == times.tolist()
    assert RecordingWorkload(replace(TRACE, time_s=times), 1.0).time_s[-1] == 599
    with pytest.raises(ValueError, match="has no times of its steps; give time_s"):
        RecordingWorkload(TRACE)


def test_a_recording_shorter_than_a_window_is_refused():
    """The error names the length."""
    with pytest.raises(ValueError, match="window_steps = 601"):
        list(RecordingWorkload(TRACE, 1.0).windows(window_steps=601))
    with pytest.raises(ValueError, match="window_s = 601"):
        list(RecordingWorkload(TRACE, 1.0).windows(window_s=601.0))
