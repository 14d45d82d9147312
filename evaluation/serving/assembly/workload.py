"""From a scenario to its requests, the conditions of their tokens, and predicted output lengths."""

import numpy as np
from numpy.typing import NDArray

import traces
from evaluation.serving.assembly.routing import workload
from evaluation.serving.engine.executor_setup import ExecutorShape
from evaluation.serving.engine.expert_affinity import ExpertAffinity
from evaluation.serving.engine.kv_memory import whole_blocks
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.token_conditions import token_conditions
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.scenario import ServingScenario
from traces.domain_shares import with_domains
from traces.requests import RequestTrace
from traces.workload import ContinuousBatching, RoutingModel

Ints = NDArray[np.int64]
#: Width of the buckets of predicted output, and share of requests whose bucket is predicted right:
#: DeepServe, arXiv:2501.14417.
BUCKET, ACCURACY = 128, 0.849
#: Purpose number of the generator of what requests leave open, as kinds of sequences.
CONDITIONS = 7


def requests(scenario: ServingScenario, routing: RoutingModel, seed: int) -> RequestTrace:
    """Return the requests of a scenario, with a domain each where the routing tells domains apart.

    Raises
    ------
    ValueError
        If the scenario names a domain that the routing does not have, or a request has no tokens.
    """
    trace = _stream(scenario, seed)
    if scenario.requests:
        trace = trace.slice(0, scenario.requests)
    if scenario.rate_factor != 1:
        trace = trace.rescale(scenario.rate_factor)
    names = routing.domain_names
    shares = dict(scenario.domains)
    if names and set(shares) - set(names):
        raise ValueError(
            f"{scenario.name}: domains = {sorted(shares)}; the routing has {', '.join(names)}"
        )
    if not shares and names and trace.domain is None:
        shares = dict.fromkeys(names, 1.0 / len(names))
    return with_domains(trace, shares, seed) if shares else trace


def _stream(scenario: ServingScenario, seed: int) -> RequestTrace:
    if scenario.trace == "generated":
        return _equal_requests(scenario, seed)
    if not scenario.workload:
        recorded: RequestTrace = traces.load(scenario.trace, "request").served()
        return recorded
    stream = workload(scenario.workload, seed).requests
    try:
        ContinuousBatching(1, stage="both").check(stream)
    except ValueError as error:
        raise ValueError(f"{scenario.workload}: {error}") from None
    return stream


def _equal_requests(scenario: ServingScenario, seed: int) -> RequestTrace:
    """Return requests of one length, all at once or as a Poisson process."""
    table = dict(scenario.generate)
    count, rate = table["requests"], table.get("rate")
    random = np.random.default_rng([seed, 4])
    arrival = np.zeros(count) if rate is None else random.exponential(1 / rate, count).cumsum()
    prompt, output = (np.full(count, table[name]) for name in ("prompt_tokens", "output_tokens"))
    return RequestTrace(arrival, prompt, output)


def request_state(
    scenario: ServingScenario, routing: RoutingModel, trace: RequestTrace, seed: int
) -> RequestState:
    """Return the state of requests before the first of them arrives.

    It has expert-affinity features only if a scheduler of the scenario uses them.

    Raises
    ------
    ValueError
        If no condition of the routing fits a request.
    """
    try:
        conditions = token_conditions(routing, trace, [seed, CONDITIONS])
    except ValueError as error:
        raise ValueError(
            f"{scenario.name}: {error}, or give domains, the shares of requests by domain"
        ) from None
    predicted = predicted_output(trace, scenario.length_prediction, seed)
    names = [named_scheduler.name_of(entry) for entry in (scenario.decode, scenario.decode_job)]
    affinity = None
    if "expert-locality" in names:
        affinity = ExpertAffinity(routing, trace, conditions, seed)
    return RequestState(trace, predicted, conditions, affinity)


def predicted_output(trace: RequestTrace, method: str, seed: int) -> Ints:
    """Return [requests] output tokens that schedulers expect."""
    actual = trace.output_tokens.astype(np.int64)
    if method == "oracle":
        return actual
    if method == "mean":
        return np.full(len(actual), max(1, round(float(actual.mean()))), dtype=np.int64)
    random = np.random.default_rng([seed, 2])
    buckets = -(-actual // BUCKET) * BUCKET
    wrong = random.random(len(actual)) >= ACCURACY
    return np.where(wrong, random.permutation(buckets), buckets)


def check_requests(trace: RequestTrace, shapes: list[ExecutorShape]) -> None:
    """Raise ValueError unless every request fits on every executor, whole and alone."""
    longest = trace.prompt_tokens + trace.output_tokens
    for shape in shapes:
        most = int(longest.max()) + shape.block_tokens
        if whole_blocks(most, shape.block_tokens) > shape.kv_capacity:
            at = int(longest.argmax())
            raise ValueError(
                f"request {at} has {trace.prompt_tokens[at]} prompt + {trace.output_tokens[at]} "
                f"output tokens > {shape.kv_capacity} tokens of cache of a DP group of "
                f"{shape.name}; leave it out, or give groups more dies"
            )
