"""Goodput under the SLO: the one score of a serving simulation, and what stands beside it."""

from collections.abc import Mapping
from typing import Any

#: Percentiles are of requests that have the latency. Where a larger part of the measured ones was
#: still in flight at the end, they would be those of the quick ones alone, and are not known.
MOST_IN_FLIGHT = 0.01
LATENCIES = ("ttft_s", "tpot_s")
POINTS = ("p50", "p99")


def scores(summary: Mapping[str, Any], span_s: float | None = None) -> dict[str, float | None]:
    """Return the scores by which deployments and schedulers are compared.

    Parameters
    ----------
    summary
        Of :func:`evaluation.serving.results.summary.summarise`.
    span_s
        Seconds in which the measured requests arrived, where the simulation went on after the last
        arrival; ``None``: all of the measured time.

    Returns
    -------
    dict
        ``goodput``: output tokens of the measured requests that kept the SLO, a second of the span
        and chip. ``share``: these requests over all that were measured, so that one in flight at
        the end counts as one that broke it; 0 where none was measured. ``ttft_p50_s``,
        ``ttft_p99_s``, ``tpot_p50_s`` and ``tpot_p99_s``: ``None`` where no request has the
        latency (answers of one token have no TPOT), or where more requests were in flight at the
        end than 1 % of the measured.

    Raises
    ------
    ValueError
        Unless 0 < span_s <= measured seconds.
    """
    seconds = summary["until_s"] - summary["warm_up_s"]
    if span_s is None:
        span_s = seconds
    if not 0 < span_s <= seconds:
        raise ValueError(
            f"span_s = {span_s:g} breaks 0 < span_s <= {seconds:g}, the measured seconds; give "
            "those in which the measured requests arrived"
        )
    good, requests = summary["goodput"], summary["requests"]
    kept = good["requests_per_s"] * seconds
    found: dict[str, float | None] = {
        "goodput": good["output_tokens_per_s_per_chip"] * seconds / span_s,
        "share": kept / requests["measured"] if requests["measured"] else 0.0,
    }
    known = requests["in_flight"] <= MOST_IN_FLIGHT * requests["measured"]
    for latency in LATENCIES:
        for point in POINTS:
            name = f"{latency.removesuffix('_s')}_{point}_s"
            found[name] = summary[latency][point] if known else None
    return found
