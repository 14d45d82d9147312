"""Latencies of requests as percentiles, small enough for a record."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.results.slo import tpot_s, ttft_s


def distribution(log: RequestLog) -> dict[str, list[float]]:
    """Return the percentiles 0 to 100 of the known times, seconds.

    Parameters
    ----------
    log
        Log of the requests.

    Returns
    -------
    dict
        ``ttft_s`` of requests with a first token, and ``tpot_s`` of finished requests with at least
        two tokens: 101 numbers each, or none if there is no such request.
    """
    return {"ttft_s": _percentiles(ttft_s(log)), "tpot_s": _percentiles(tpot_s(log))}


def _percentiles(values: NDArray[np.float64]) -> list[float]:
    known = values[~np.isnan(values)]
    if not known.size:
        return []
    percentiles: list[float] = np.percentile(known, np.arange(101)).tolist()
    return [float(f"{value:.6g}") for value in percentiles]
