"""Logs keep what the engine writes, and nothing else."""

import numpy as np
import pytest

from evaluation.serving.engine.log import SAMPLE_COLUMNS, RequestLog, SampleLog, StepLog
from evaluation.serving.pricing.work import Cost
from traces import RequestTrace

TRACE = RequestTrace([0.0, 1.0, 2.5], [10, 20, 30], [1, 2, 3])


def test_a_new_request_log_knows_the_trace_and_nothing_else():
    """Arrival and lengths are there; times are nan, places -1, totals 0."""
    log = RequestLog(TRACE)
    assert len(log) == 3
    np.testing.assert_array_equal(log.arrival_s, [0, 1, 2.5])
    np.testing.assert_array_equal(log.output_tokens, [1, 2, 3])
    assert np.isnan(log.first_token_s).all()
    assert log.decode_executor.dtype == np.int16
    assert (log.decode_group == -1).all()
    assert (log.generated == 0).all()
    assert not log.finished.any()


def test_a_request_log_is_written_in_place_and_leaves_the_trace_alone():
    """Columns are the log's own arrays; the trace's are copied."""
    log = RequestLog(TRACE)
    log.prompt_tokens[0] = 99
    log.finish_s[1] = 4.0
    assert TRACE.prompt_tokens[0] == 10
    assert log.columns["finish_s"] is log.finish_s
    np.testing.assert_array_equal(log.finished, [False, True, False])


@pytest.mark.parametrize("samples", [0, 1, 256, 257, 1000])
def test_samples_come_back_in_order_over_any_number_of_growths(samples):
    """Every sample is kept, with its own values, beyond each size of the buffer."""
    log = SampleLog(["prefill", "decode"])
    for number in range(samples):
        log.add(0.5 * number, number % 2, number, 3, 4, 5, steps=number)
    assert len(log) == samples
    np.testing.assert_array_equal(log["time_s"], 0.5 * np.arange(samples))
    np.testing.assert_array_equal(log["steps"], np.arange(samples))
    np.testing.assert_array_equal(log.of(1)["waiting"], np.arange(1, samples, 2))


def test_every_value_of_a_sample_has_its_own_column():
    """Arguments of ``add`` are in the order of the columns."""
    log = SampleLog(["only"])
    log.add(0.5, 0, *range(1, 15))
    values = [0.5, 0, *range(1, 15)]
    assert [log[name][0] for name in SAMPLE_COLUMNS] == values
    assert log["running"].dtype == np.int64


def test_a_step_log_keeps_what_overlaps_its_range():
    """Steps and transfers that end before or start after are passed over, bounds included."""
    log = StepLog(1.0, 2.0)
    cost = Cost(0.5, 0.1, 0.1, 0.1, 0.1, 0.1)
    for start in (0.0, 0.5, 0.75, 1.5, 2.0):
        log.add(0, start, cost, 0, 8)
    for start, end in ((0.0, 1.0), (0.5, 3.0), (2.0, 2.5)):
        log.add_transfer(7, 0, 1, start, end)
    assert [step.start_s for step in log.steps] == [0.75, 1.5]
    assert [(one.request, one.end_s) for one in log.transfers] == [(7, 3.0)]


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (0.0, float("nan"))])
def test_an_impossible_range_is_refused(bounds):
    """The error names both ends."""
    with pytest.raises(ValueError, match=r"0 <= start_s < end_s"):
        StepLog(*bounds)
