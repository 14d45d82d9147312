"""From a scenario to its requests, the experts that they choose, and predicted output lengths."""

import dataclasses
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import traces
from evaluation.serving.engine.executor_setup import ExecutorShape
from evaluation.serving.engine.expert_affinity import ExpertAffinity
from evaluation.serving.engine.kv_memory import whole_blocks
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.pricing.drifting_load import DriftingLoad
from evaluation.serving.pricing.expert_load import ExpertLoad, UniformLoad, load_by_name
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Model
from traces.domain_shares import with_domains
from traces.generators.presets import PRESETS, preset
from traces.requests import RequestTrace

Ints = NDArray[np.int64]
#: Width of the buckets of predicted output, and share of requests whose bucket is predicted right:
#: DeepServe, arXiv:2501.14417.
BUCKET, ACCURACY = 128, 0.849


@lru_cache(maxsize=2)
def _preset_load(name: str) -> ExpertLoad:
    """Return the load of a preset; its tokens take seconds to draw and never change."""
    return load_by_name(name)


def expert_load(scenario: ServingScenario) -> ExpertLoad:
    """Return the load that draws the experts of a step.

    Raises
    ------
    ValueError
        If the routing does not fit the model, or is to drift and cannot.
    """
    model = Model.preset(scenario.model)
    name = scenario.routing[0] if len(scenario.routing) == 1 else ""
    if scenario.routing_step_s is not None and name not in PRESETS:
        raise ValueError(
            f"{scenario.name}: routing_step_s = {scenario.routing_step_s:g} needs a law that drifts"
            f", routing = {', '.join(scenario.routing)} is none; give one of {', '.join(PRESETS)}"
        )
    if scenario.routing == ("uniform",):
        domains = tuple(scenario.domains) or ("all",)
        return UniformLoad(model.moe_layers, model.experts, model.top_k, domains)
    load: ExpertLoad
    if scenario.routing_step_s is not None:
        load = DriftingLoad(preset(name), scenario.routing_step_s)
    else:
        load = _preset_load(name) if name in PRESETS else load_by_name(scenario.routing)
    if (load.num_experts, load.top_k) != (model.experts, model.top_k):
        raise ValueError(
            f"{scenario.name}: the routing has {load.num_experts} experts, top-{load.top_k}, the "
            f"model {scenario.model} has {model.experts}, top-{model.top_k}; name one of its own"
        )
    return load


def requests(scenario: ServingScenario, load: ExpertLoad, seed: int) -> RequestTrace:
    """Return the requests of a scenario, with the domains of the routing.

    Raises
    ------
    ValueError
        If the scenario names a domain that the routing does not have.
    """
    if scenario.trace == "generated":
        trace = _equal_requests(scenario, seed)
    else:
        trace = traces.load(scenario.trace, "request").served()
    if scenario.requests:
        trace = trace.slice(0, scenario.requests)
    if scenario.rate_factor != 1:
        trace = trace.rescale(scenario.rate_factor)
    if trace.domain is None or not set(trace.domain_names) <= set(load.domains):
        shares = dict(scenario.domains) or dict.fromkeys(load.domains, 1.0 / len(load.domains))
        if set(shares) - set(load.domains):
            raise ValueError(
                f"{scenario.name}: domains = {sorted(shares)}; the routing has "
                f"{', '.join(load.domains)}"
            )
        trace = with_domains(trace, shares, seed)
    assert trace.domain is not None
    order = np.array([load.domains.index(name) for name in trace.domain_names])
    return dataclasses.replace(trace, domain=order[trace.domain], domain_names=load.domains)


def _equal_requests(scenario: ServingScenario, seed: int) -> RequestTrace:
    """Return requests of one length, all at once or as a Poisson process."""
    table = dict(scenario.generate)
    count, rate = table["requests"], table.get("rate")
    random = np.random.default_rng([seed, 4])
    arrival = np.zeros(count) if rate is None else random.exponential(1 / rate, count).cumsum()
    prompt, output = (np.full(count, table[name]) for name in ("prompt_tokens", "output_tokens"))
    return RequestTrace(arrival, prompt, output)


def request_state(
    scenario: ServingScenario, load: ExpertLoad, trace: RequestTrace, seed: int
) -> RequestState:
    """Return the state of requests before the first of them arrives.

    It has expert-affinity features only if a scheduler of the scenario uses them.
    """
    predicted = predicted_output(trace, scenario.length_prediction, seed)
    names = [named_scheduler.name_of(entry) for entry in (scenario.decode, scenario.decode_job)]
    affinity = ExpertAffinity(load, trace, seed) if "expert-locality" in names else None
    return RequestState(trace, predicted, len(load.domains), affinity)


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
