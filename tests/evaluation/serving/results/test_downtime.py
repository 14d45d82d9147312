"""Downtime of executors after faults."""

import pytest

from evaluation.serving.engine.sample_log import ExecutorState, SampleLog
from evaluation.serving.engine.step_totals import StepTotals
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.downtime import recovery_s


def samples(steps, other=(1,) * 8):
    """Return samples every second, of the executors "a" with these steps and "b" with others."""
    log = SampleLog(["a", "b"])
    for second, each in enumerate(zip(steps, other, strict=False)):
        for executor, count in enumerate(each):
            log.add(second + 1.0, executor, ExecutorState(0, 0, 0, 1), StepTotals(steps=count))
    return log


def test_counts_from_the_fault_to_the_next_step():
    """The executor stops in the intervals from 3 to 6 s, and steps in the one that ends at 7 s."""
    log = samples([5, 5, 2, 0, 0, 0, 4, 5])
    assert recovery_s(log, [Fault(2.5, "a", "die")], 8.0) == pytest.approx(4.5)


def test_one_that_goes_on_counts_nothing():
    """Without a whole interval without steps there is no downtime, even if others stop."""
    log = samples([5, 5, 2, 5, 5, 5, 5, 5], other=[0] * 8)
    assert recovery_s(log, [Fault(2.5, "a", "slow", speed=0.5)], 8.0) == 0.0


def test_a_later_pause_is_not_an_outage():
    """An executor that stepped right after the fault and later lacks traffic has no downtime."""
    log = samples([5, 5, 2, 5, 5, 0, 0, 0])
    assert recovery_s(log, [Fault(2.5, "a", "glitch")], 8.0) == 0.0


def test_one_that_never_steps_again_counts_until_the_last_arrival():
    """Downtime ends with the last arrival: later the executor may just lack traffic."""
    log = samples([5, 5, 2, 0, 0, 0, 0, 0])
    assert recovery_s(log, [Fault(2.5, "a", "die")], 6.5) == pytest.approx(4.0)


def test_mean_over_faults_and_none_without():
    """The mean is over faults, each with the downtime of its own executor."""
    log = samples([5, 5, 2, 0, 0, 0, 4, 5])
    faults = [Fault(2.5, "a", "die"), Fault(2.5, "b", "glitch")]
    assert recovery_s(log, faults, 8.0) == pytest.approx(2.25)
    assert recovery_s(log, [], 8.0) is None
