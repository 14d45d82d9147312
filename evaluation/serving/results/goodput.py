"""Goodput: output tokens of the requests that kept the SLO, per second and chip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.results.slo import Slo


@dataclass(frozen=True)
class Goodput:
    """Requests and tokens that kept the SLO, and the span and chips of their rates.

    Parameters
    ----------
    requests, output_tokens
        Measured requests that finished and kept the SLO, and the tokens of their answers.
    measured
        All measured requests, those in flight at the end included.
    span
        "arrivals": rates are per second in which measured requests arrive. "simulation": they are
        per second of measured time, because all measured requests arrive at one moment.
    span_s
        Length of the span, seconds.
    chips
        Number of chips.
    """

    requests: int
    output_tokens: int
    measured: int
    span: str
    span_s: float
    chips: float

    @property
    def share(self) -> float:
        """Part of the measured requests that kept the SLO; 0 if no request was measured."""
        return self.requests / self.measured if self.measured else 0.0

    @property
    def per_chip(self) -> float:
        """Output tokens per second and chip."""
        return self.output_tokens / self.span_s / self.chips

    def as_dict(self) -> dict[str, float | str]:
        """Return rates, share and span, as a summary holds them."""
        rates: dict[str, float | str] = {}
        for name in ("requests", "output_tokens"):
            rates[f"{name}_per_s"] = getattr(self, name) / self.span_s
            rates[f"{name}_per_s_per_chip"] = getattr(self, name) / self.span_s / self.chips
        return {**rates, "share": self.share, "span": self.span, "span_s": self.span_s}


def goodput(
    log: RequestLog, slo: Slo, chips: float, until_s: float, warm_up_s: float = 0.0
) -> Goodput:
    """Return the goodput of a simulation.

    The span runs from the end of the warm-up to the last arrival. The time after it, in which the
    longest answer finishes, plays no part. So two systems that serve the same requests compare by
    the tokens that kept the SLO.

    Parameters
    ----------
    log
        Log of the requests.
    slo
        Limits that a request must keep.
    chips
        Number of chips.
    until_s
        Simulated time at its end.
    warm_up_s
        Requests that arrive earlier are not measured.
    """
    measured = measured_requests(log, until_s, warm_up_s)
    kept = slo.kept(log) & measured
    span, span_s = arrival_span(log.arrival_s[measured], warm_up_s, until_s)
    return Goodput(
        requests=int(kept.sum()),
        output_tokens=int(log.output_tokens[kept].sum()),
        measured=int(measured.sum()),
        span=span,
        span_s=span_s,
        chips=chips,
    )


def measured_requests(log: RequestLog, until_s: float, warm_up_s: float) -> NDArray[np.bool_]:
    """Return [requests] whether it arrived after the warm-up and before the end."""
    measured: NDArray[np.bool_] = (log.arrival_s >= warm_up_s) & (log.arrival_s <= until_s)
    return measured


def arrival_span(
    arrival_s: NDArray[np.float64], warm_up_s: float, until_s: float
) -> tuple[str, float]:
    """Return the name of the span and its seconds, for requests that arrive at these times."""
    last_s = float(arrival_s.max()) if arrival_s.size else warm_up_s
    if last_s > warm_up_s:
        return "arrivals", last_s - warm_up_s
    return "simulation", until_s - warm_up_s
