"""Logs of a few requests for tests."""

import numpy as np

from evaluation.serving.engine.request_log import RequestLog
from traces import RequestTrace


def request_log(arrival_s, first_token_s, finish_s, output_tokens):
    """Return the log of requests with prompts of 8 tokens; nan means no such time yet."""
    finish_s = np.array(finish_s)
    arrival_s = np.array(arrival_s, dtype=float)
    log = RequestLog(RequestTrace(arrival_s, np.full(len(arrival_s), 8), output_tokens))
    log.prefill_start_s[:] = log.arrival_s
    log.first_token_s[:] = first_token_s
    log.finish_s[:] = finish_s
    log.generated[:] = np.where(np.isnan(finish_s), 1, output_tokens)
    log.second_token_s[:] = np.where(np.array(output_tokens) > 1, finish_s, np.nan)
    return log
