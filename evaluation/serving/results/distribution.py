"""What requests saw, in percentiles that fit into a record."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.log import RequestLog
from evaluation.serving.results.slo import tpot_s, ttft_s


def distribution(log: RequestLog) -> dict[str, list[float]]:
    """Return percentiles 0 to 100 of the times that are known, seconds.

    Parameters
    ----------
    log
        Of the requests.

    Returns
    -------
    dict
        ``ttft_s`` of requests with a first token, ``tpot_s`` of finished ones with two tokens or
        more: 101 numbers each, none where there is no such request.
    """
    return {"ttft_s": _percentiles(ttft_s(log)), "tpot_s": _percentiles(tpot_s(log))}


def _percentiles(values: NDArray[np.float64]) -> list[float]:
    known = values[~np.isnan(values)]
    if not known.size:
        return []
    found: list[float] = np.percentile(known, np.arange(101)).tolist()
    return [float(f"{one:.6g}") for one in found]
