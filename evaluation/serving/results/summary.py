"""The summary of a serving simulation: latencies, goodput, throughput, executors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.results.conservation import check
from evaluation.serving.results.executor_summary import executor_summaries
from evaluation.serving.results.goodput import goodput, measured_requests
from evaluation.serving.results.slo import Slo, tpot_s, ttft_s

PERCENTILES = (50, 90, 95, 99)


def summarise(
    log: RequestLog,
    samples: SampleLog,
    slo: Slo,
    chips: float,
    until_s: float,
    warm_up_s: float = 0.0,
    in_flight: int | None = None,
) -> dict[str, Any]:
    """Return the numbers of one simulation.

    Parameters
    ----------
    log, samples
        Requests, and samples of the task executors.
    slo
        Limits for goodput.
    chips
        Number of chips.
    until_s
        Simulated time at its end.
    warm_up_s
        Earlier requests and tokens are not measured.
    in_flight
        Requests that the engine holds at the end, to be checked; ``None``: unknown.

    Returns
    -------
    dict
        ``requests``: counts. ``ttft_s``, ``tpot_s``, ``second_token_s`` (from arrival) and
        ``end_to_end_s``: count, mean and percentiles over the measured requests that have the
        latency by ``until_s``. Requests in flight, often the longest, are missing. ``goodput``: see
        :class:`evaluation.serving.results.goodput.Goodput`. ``throughput``: all tokens generated.
        ``executors``: see
        :func:`evaluation.serving.results.executor_summary.executor_summaries`. A number without a
        value is None.

    Raises
    ------
    ValueError
        If a request or token is lost or counted twice, see
        :func:`evaluation.serving.results.conservation.check`; unless 0 <= warm_up_s < until_s and
        chips > 0.
    """
    if not 0 <= warm_up_s < until_s < np.inf:
        raise ValueError(
            f"warm_up_s = {warm_up_s:g}, until_s = {until_s:g} break 0 <= warm_up_s < until_s < "
            "infinity; leave time to measure"
        )
    if not 0 < chips < np.inf:
        raise ValueError(f"chips = {chips} is outside 0 < chips < infinity; count the chips")
    check(log, until_s, in_flight)
    measured = measured_requests(log, until_s, warm_up_s)
    latencies = {
        "ttft_s": ttft_s(log),
        "tpot_s": tpot_s(log),
        "second_token_s": log.second_token_s - log.arrival_s,
        "end_to_end_s": log.finish_s - log.arrival_s,
    }
    return {
        "until_s": until_s,
        "warm_up_s": warm_up_s,
        "chips": chips,
        "slo": {name: _finite(getattr(slo, name)) for name in ("ttft_s", "tpot_s")},
        "requests": _counts(log, measured, until_s),
        **{name: distribution(values[measured]) for name, values in latencies.items()},
        "goodput": goodput(log, slo, chips, until_s, warm_up_s).as_dict(),
        "throughput": _throughput(log, chips, until_s, warm_up_s),
        "executors": executor_summaries(samples, until_s, warm_up_s),
    }


def distribution(values: NDArray[np.float64]) -> dict[str, float | int | None]:
    """Return count, mean and percentiles of the known values; None without any."""
    known = values[~np.isnan(values)]
    names = ("mean", *(f"p{point}" for point in PERCENTILES))
    if known.size == 0:
        return {"count": 0, **dict.fromkeys(names)}
    numbers = [float(known.mean()), *np.percentile(known, PERCENTILES).tolist()]
    return {"count": int(known.size), **dict(zip(names, numbers, strict=True))}


def _counts(log: RequestLog, measured: NDArray[np.bool_], until_s: float) -> dict[str, int]:
    arrived, finished = int((log.arrival_s <= until_s).sum()), int(log.finished.sum())
    return {
        "arrived": arrived,
        "finished": finished,
        "in_flight": arrived - finished,
        "preempted": int((log.preemptions > 0).sum()),
        "measured": int(measured.sum()),
        "cached_tokens": int(log.cached_tokens.sum()),
        "recomputed_tokens": int(log.recomputed_tokens.sum()),
    }


def _throughput(
    log: RequestLog, chips: float, until_s: float, warm_up_s: float
) -> dict[str, float | None]:
    """Return the rates of finished requests, output and prompt tokens between the two times."""
    with np.errstate(invalid="ignore"):
        finished = (log.finish_s >= warm_up_s).sum()
        read = log.prompt_tokens[log.first_token_s >= warm_up_s].sum()
    tokens = generated_after(log, until_s, warm_up_s)
    totals = {"requests": finished, "output_tokens": tokens, "prompt_tokens": read}
    return _rates(totals, until_s - warm_up_s, chips)


def generated_after(log: RequestLog, until_s: float, warm_up_s: float) -> float:
    """Return the output tokens generated from ``warm_up_s`` on.

    The number is exact without a warm-up. With one, the tokens of a request after its first are
    assumed to be evenly spread until it finishes, or until the end. The log has no time of each.
    """
    if warm_up_s == 0:
        return float(log.generated.sum())
    started = log.generated > 0
    first = log.first_token_s[started]
    last = np.where(log.finished, log.finish_s, until_s)[started]
    spread_s = last - first
    inside_s = last - np.maximum(first, warm_up_s)
    # All tokens at one time: they are inside or outside of the measured time as a whole.
    at_once = last >= warm_up_s
    fraction = np.where(spread_s > 0, inside_s / np.where(spread_s > 0, spread_s, 1.0), at_once)
    later_tokens = (log.generated[started] - 1) * np.maximum(fraction, 0.0)
    return float(later_tokens.sum() + (first >= warm_up_s).sum())


def _rates(totals: dict[str, float], seconds: float, chips: float) -> dict[str, float | None]:
    """Return every total per second, and per second and chip."""
    rates: dict[str, float | None] = {}
    for name, total in totals.items():
        rates[f"{name}_per_s"] = float(total) / seconds
        rates[f"{name}_per_s_per_chip"] = float(total) / seconds / chips
    return rates


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
