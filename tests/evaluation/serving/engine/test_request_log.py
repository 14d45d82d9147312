"""A request log keeps what the engine writes, and nothing else."""

import numpy as np

from evaluation.serving.engine.request_log import RequestLog
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
