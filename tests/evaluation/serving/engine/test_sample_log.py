"""A sample log gives back every sample, column by column."""

import numpy as np
import pytest

from evaluation.serving.engine.sample_log import SAMPLE_COLUMNS, ExecutorState, SampleLog
from evaluation.serving.engine.step_totals import StepTotals


@pytest.mark.parametrize("samples", [0, 1, 256, 257, 1000])
def test_samples_come_back_in_order_over_any_number_of_growths(samples):
    """Every sample is kept, with its own values, beyond each size of the buffer."""
    log = SampleLog(["prefill", "decode"])
    for number in range(samples):
        state = ExecutorState(number, 3, 4, 5)
        log.add(0.5 * number, number % 2, state, StepTotals(steps=number))
    assert len(log) == samples
    np.testing.assert_array_equal(log["time_s"], 0.5 * np.arange(samples))
    np.testing.assert_array_equal(log["steps"], np.arange(samples))
    np.testing.assert_array_equal(log.of(1)["waiting"], np.arange(1, samples, 2))


def test_every_value_of_a_sample_has_its_own_column():
    """State and totals are stored in the order of the columns."""
    log = SampleLog(["only"])
    # 4 numbers of the state and 10 totals, all different
    log.add(0.5, 0, ExecutorState(*range(1, 5)), StepTotals(*range(5, 15)))
    values = [0.5, 0, *range(1, 15)]
    assert [log[name][0] for name in SAMPLE_COLUMNS] == values
    assert log["running"].dtype == np.int64
