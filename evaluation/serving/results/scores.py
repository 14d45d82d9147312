"""Scores of a serving simulation, by which schedulers and deployments are compared."""

from collections.abc import Mapping
from typing import Any

#: Percentiles cover the requests that have the latency. If a larger part of the measured requests
#: is in flight at the end, the percentiles describe the quick requests alone and are left out.
MOST_IN_FLIGHT = 0.01
LATENCIES = ("ttft_s", "tpot_s")
POINTS = ("p50", "p99")


def scores(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the scores of a simulation.

    Parameters
    ----------
    summary
        Of :func:`evaluation.serving.results.summary.summarise`.

    Returns
    -------
    dict
        ``goodput``: output tokens of the requests that kept the SLO, per second and chip, and
        ``share``: the part of the requests that kept it, both as in
        :class:`evaluation.serving.results.goodput.Goodput`. ``ttft_p50_s``, ``ttft_p99_s``,
        ``tpot_p50_s`` and ``tpot_p99_s``: ``None`` if no request has the latency (answers of one
        token have no TPOT), or if more than 1 % of the measured requests are in flight at the end.
    """
    requests = summary["requests"]
    complete = requests["in_flight"] <= MOST_IN_FLIGHT * requests["measured"]
    latencies = {
        f"{latency.removesuffix('_s')}_{point}_s": summary[latency][point] if complete else None
        for latency in LATENCIES
        for point in POINTS
    }
    good = summary["goodput"]
    return {
        "goodput": good["output_tokens_per_s_per_chip"],
        "share": good["share"],
        **latencies,
    }
