"""The span of arrivals that deployments are scored on, after a warm-up that is not scored."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.assembly import workload
from evaluation.serving.assembly.routing import routing_model
from evaluation.serving.results.goodput import arrival_span
from evaluation.serving.scenario.scenario import ServingScenario
from traces.requests import RequestTrace
from traces.workload import RoutingModel

#: Default span, and its least multiple of a request's time; a warm-up of some such times lets the
#: batches of decode fill. Choices of ours.
SPAN_S, SPAN_REQUESTS, WARM_UP_REQUESTS = 60.0, 4.0, 2.0
#: A span below this multiple of a request's time gives a warning: queues have not filled.
SHORT_REQUESTS = 3.0


@dataclass(frozen=True, eq=False)
class ArrivalSpan:
    """The requests that every deployment is simulated with.

    Parameters
    ----------
    scenario
        Scenario with the requests and the warm-up of the span.
    trace
        Its requests.
    routing
        Its routing.
    warm_up_s
        Requests that arrive before are not scored.
    span_s
        Seconds in which those that are scored arrive; ``None`` where they arrive at once.
    request_s
        Mean time of a request that just keeps the SLO.
    warnings
        Reasons to doubt the scores.
    """

    scenario: ServingScenario
    trace: RequestTrace
    routing: RoutingModel
    warm_up_s: float
    span_s: float | None
    request_s: float
    warnings: tuple[str, ...]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """[requests] whether it is scored."""
        return self.trace.arrival_s >= self.warm_up_s

    @property
    def deadline_s(self) -> NDArray[np.float64]:
        """[requests] the last moment at which it can finish and keep the SLO."""
        gaps = self.trace.output_tokens.astype(np.float64) - 1
        return self.trace.arrival_s + self.scenario.ttft_s + self.scenario.tpot_s * gaps

    @property
    def until_s(self) -> float:
        """When the last deadline is over: nothing that happens later changes a score."""
        return float(self.deadline_s[self.measured].max()) + 1e-6


def plan_span(
    scenario: ServingScenario,
    span_s: float | None = None,
    warm_up_s: float | None = None,
    requests: int | None = None,
    seed: int = 0,
) -> ArrivalSpan:
    """Return the requests on which the deployments of a scenario are scored.

    Parameters
    ----------
    scenario
        Scenario with the requests and their rate.
    span_s
        Seconds of arrivals that are scored; by default 60, or four times the mean time of a request
        that just keeps the SLO, whichever is longer.
    warm_up_s
        Seconds of arrivals before the span; by default two such times, half of the span at most,
        and with ``requests`` the scenario's.
    requests
        Simulate this number of first requests instead, however long they take to arrive.
    seed
        Random seed of generated arrivals.

    Raises
    ------
    ValueError
        If a time is out of range, the warm-up is more than half of all arrivals, no request is left
        to score, or requests arrive at once and ``requests`` is missing.
    """
    _check(span_s, warm_up_s, requests)
    routing = routing_model(scenario, seed)
    if requests is not None:
        return _first(scenario, routing, requests, warm_up_s, seed)
    trace = workload.requests(scenario, routing, seed)
    request_s = _request_s(scenario, trace)
    if trace.duration_s == 0:
        raise ValueError(
            f"{scenario.name}: all {trace.num_requests} requests arrive at once, so that a span of "
            "arrivals has no meaning; give generate a rate, or a burst by --requests"
        )
    span_s = max(SPAN_S, SPAN_REQUESTS * request_s) if span_s is None else span_s
    if warm_up_s is None:
        warm_up_s = min(WARM_UP_REQUESTS * request_s, span_s / 2)
    end_s = warm_up_s + span_s
    scenario, trace = _lengthen(scenario, routing, trace, end_s, seed)
    warnings = []
    last_s = float(trace.arrival_s[-1])
    if last_s < end_s:
        warm_up_s = min(warm_up_s, last_s / 3)
        warnings.append(
            f"the requests end after {last_s:.1f} s of arrivals, before {end_s:.1f} s: "
            f"{warm_up_s:.1f} s are left out and {last_s - warm_up_s:.1f} s scored; a lower --rate "
            "stretches them"
        )
        span_s = last_s - warm_up_s
    count = int(np.searchsorted(trace.arrival_s, warm_up_s + span_s, side="right"))
    return _span(scenario, routing, count, warm_up_s, warnings, seed)


def _check(span_s: float | None, warm_up_s: float | None, requests: int | None) -> None:
    if span_s is not None and not 0 < span_s < math.inf:
        raise ValueError(f"--span {span_s:g} breaks 0 < span < infinity; give some seconds")
    if warm_up_s is not None and not 0 <= warm_up_s < math.inf:
        raise ValueError(f"--warm-up {warm_up_s:g} breaks 0 <= warm-up < infinity; give seconds")
    if requests is not None and span_s is not None:
        raise ValueError(
            f"--span {span_s:g} and --requests {requests} both say how many requests are "
            "simulated; give one"
        )


def _first(
    scenario: ServingScenario,
    routing: RoutingModel,
    requests: int,
    warm_up_s: float | None,
    seed: int,
) -> ArrivalSpan:
    warm_up_s = scenario.warm_up_s if warm_up_s is None else warm_up_s
    cut = dataclasses.replace(scenario, requests=requests)
    return _span(cut, routing, requests, warm_up_s, [], seed)


def _span(
    scenario: ServingScenario,
    routing: RoutingModel,
    requests: int,
    warm_up_s: float,
    warnings: list[str],
    seed: int,
) -> ArrivalSpan:
    if requests < 1:
        raise ValueError(f"{scenario.name}: no request arrives within the span; give a longer one")
    measured = dataclasses.replace(scenario, requests=requests, warm_up_s=warm_up_s)
    trace = workload.requests(measured, routing, seed)
    last_s = float(trace.arrival_s[-1])
    if warm_up_s > last_s / 2:  # a simulation measures half of its time at least
        raise ValueError(
            f"warm-up of {warm_up_s:.1f} s > half of the {last_s:.1f} s of arrivals; give a longer "
            "--span, more --requests or a shorter --warm-up"
        )
    span, seconds = arrival_span(trace.arrival_s, warm_up_s, last_s)
    span_s = seconds if span == "arrivals" else None
    request_s = _request_s(scenario, trace)
    if span_s is None or span_s < SHORT_REQUESTS * request_s:
        warnings.append(
            f"arrivals of {span_s or 0:.1f} s are scored, and a request that just keeps the SLO "
            f"takes {request_s:.1f} s: queues do not fill, and too small a deployment may look "
            f"good; give --span {math.ceil(SPAN_REQUESTS * request_s)} or more"
        )
    return ArrivalSpan(measured, trace, routing, warm_up_s, span_s, request_s, tuple(warnings))


def _request_s(scenario: ServingScenario, trace: RequestTrace) -> float:
    gaps = float(trace.output_tokens.mean()) - 1
    return scenario.ttft_s + scenario.tpot_s * gaps


def _lengthen(
    scenario: ServingScenario, routing: RoutingModel, trace: RequestTrace, end_s: float, seed: int
) -> tuple[ServingScenario, RequestTrace]:
    """Generate more requests if those of a scenario end too early.

    The first requests stay the same, since gaps are drawn in order.
    """
    if scenario.trace != "generated" or scenario.requests or trace.arrival_s[-1] >= end_s:
        return scenario, trace
    expected = scenario.generate["rate"] * scenario.rate_factor * end_s
    count = math.ceil(expected + 6 * math.sqrt(expected)) + 6  # short by chance once in 10^9
    generate = {**scenario.generate, "requests": count}
    longer = dataclasses.replace(scenario, generate=generate)
    return longer, workload.requests(longer, routing, seed)
