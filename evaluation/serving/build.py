"""From a scenario to what runs: prices, capacities, schedulers, predictions."""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
import traces
from evaluation.replay.scenario import fabric_of
from evaluation.serving.engine.decode_batch import whole_blocks
from evaluation.serving.engine.task_executor import Shape
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.disaggregated import DisaggregatedPrice
from evaluation.serving.pricing.drifting_load import DriftingLoad
from evaluation.serving.pricing.expert_load import ExpertLoad, UniformLoad, load_by_name
from evaluation.serving.pricing.options import PriceOptions
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.step.disaggregated import Disaggregated
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Library, Model, Operators
from hardware.faults import Jitter
from hardware.memory import footprint
from hardware.rooflines import FORMAT_BYTES
from lb.protocols import Dispatcher
from schedulers import DECODE, JOB
from traces.domain_shares import with_domains
from traces.generators.presets import PRESETS, preset
from traces.requests import RequestTrace

Ints = NDArray[np.int64]
#: Width of the buckets of predicted output, and how often the right one is predicted: DeepServe,
#: arXiv:2501.14417.
BUCKET, ACCURACY = 128, 0.849
#: Tokens of the drawn step that placements are made for at start.
START_TOKENS = 16_384


def job_router(given: Any) -> Any:
    """Return a router of task executors: one of the job executor, or one of decode groups."""
    name = named_scheduler.name_of(given)
    known = name not in JOB.available() and name in DECODE.available()
    return named_scheduler.make(DECODE if known else JOB, given)


@lru_cache(maxsize=2)
def _law(name: str) -> ExpertLoad:
    """Return the load of a preset; its tokens take seconds to draw and never change."""
    return load_by_name(name)


def expert_load(scenario: ServingScenario) -> ExpertLoad:
    """Return where the experts of a step come from."""
    model = Model.preset(scenario.model)
    one = scenario.routing[0] if len(scenario.routing) == 1 else ""
    if scenario.routing_step_s is not None and one not in PRESETS:
        raise ValueError(
            f"{scenario.name}: routing_step_s = {scenario.routing_step_s:g} needs a law that drifts"
            f", routing = {', '.join(scenario.routing)} is none; give one of {', '.join(PRESETS)}"
        )
    if scenario.routing == ("uniform",):
        names = tuple(scenario.domains) or ("all",)
        return UniformLoad(model.moe_layers, model.experts, model.top_k, names)
    load: ExpertLoad
    if scenario.routing_step_s is not None:
        load = DriftingLoad(preset(one), scenario.routing_step_s)
    else:
        load = _law(one) if one in PRESETS else load_by_name(scenario.routing)
    if (load.num_experts, load.top_k) != (model.experts, model.top_k):
        raise ValueError(
            f"{scenario.name}: the routing has {load.num_experts} experts, top-{load.top_k}, the "
            f"model {scenario.model} has {model.experts}, top-{model.top_k}; name one of its own"
        )
    return load


def requests(scenario: ServingScenario, load: ExpertLoad, seed: int) -> RequestTrace:
    """Return the requests, with the domains of the routing."""
    generated = scenario.trace == "generated"
    found = _alike(scenario, seed) if generated else traces.load(scenario.trace, "request").served()
    if scenario.requests:
        found = found.slice(0, scenario.requests)
    if scenario.rate_factor != 1:
        found = found.rescale(scenario.rate_factor)
    if found.domain is None or not set(found.domain_names) <= set(load.domains):
        shares = dict(scenario.domains) or dict.fromkeys(load.domains, 1.0 / len(load.domains))
        if set(shares) - set(load.domains):
            raise ValueError(
                f"{scenario.name}: domains = {sorted(shares)}; the routing has "
                f"{', '.join(load.domains)}"
            )
        found = with_domains(found, shares, seed)
    assert found.domain is not None
    order = np.array([load.domains.index(name) for name in found.domain_names])
    return dataclasses.replace(found, domain=order[found.domain], domain_names=load.domains)


def _alike(scenario: ServingScenario, seed: int) -> RequestTrace:
    """Return requests of one length, at once or as a Poisson process."""
    given = dict(scenario.generate)
    count, rate = given["requests"], given.get("rate")
    random = np.random.default_rng([seed, 4])
    arrival = np.zeros(count) if rate is None else random.exponential(1 / rate, count).cumsum()
    prompt, output = (np.full(count, given[name]) for name in ("prompt_tokens", "output_tokens"))
    return RequestTrace(arrival, prompt, output)


def predicted(trace: RequestTrace, how: str, seed: int) -> Ints:
    """Return [requests] output tokens that schedulers expect."""
    actual = trace.output_tokens.astype(np.int64)
    if how == "oracle":
        return actual
    if how == "mean":
        return np.full(len(actual), max(1, round(float(actual.mean()))), dtype=np.int64)
    random = np.random.default_rng([seed, 2])
    buckets = -(-actual // BUCKET) * BUCKET
    wrong = random.random(len(actual)) >= ACCURACY
    return np.where(wrong, random.permutation(buckets), buckets)


def step_executor(scenario: ServingScenario, table: ExecutorTable) -> StepExecutor:
    """Return what prices the layers of an executor."""
    model = Model.preset(scenario.model)
    device = Device.preset(scenario.device)
    operators = Operators(
        dataclasses.replace(device, flops={**device.flops, **scenario.flops}),
        model,
        kv_format=scenario.kv_format,
        int8_attention=scenario.int8_attention,
        shared_local=scenario.shared_local,
    )
    collectives = Collectives(
        fabric_of(scenario.fabric, table.dies), model, Library.preset(scenario.library)
    )
    jitter = Jitter(scenario.jitter_sigma) if scenario.jitter_sigma else None
    return StepExecutor(operators, collectives, drafts=table.drafts, jitter=jitter)


def start_placement(
    table: ExecutorTable, load: ExpertLoad, seed: int, shared: int = 0
) -> lb.Placement:
    """Return the placement at start, made for a step of all domains alike.

    With ``shared`` experts on ranks of their own, every token passes these.
    """
    tokens = np.full(len(load.domains), START_TOKENS / len(load.domains))
    drawn = load(np.round(tokens), np.random.default_rng([seed, 3])).astype(np.int64)
    if shared:
        passing = np.full((len(drawn), shared), int(np.round(tokens).sum()))
        drawn = np.concatenate([drawn, passing], axis=1)
    slots = table.slots_per_rank or -(-drawn.shape[1] // table.expert_dies)
    return lb.solve(lb.Problem(drawn, table.expert_dies, slots), table.solver)


def shape(
    name: str, scenario: ServingScenario, table: ExecutorTable, executor: StepExecutor, slots: int
) -> Shape:
    """Return the shape of an executor, its cache being what memory leaves.

    Raises
    ------
    ValueError
        If the weights do not fit.
    """
    operators = executor.operators
    experts = footprint(operators, slots, 0, 0.0).experts
    if table.disaggregated and experts > operators.device.hbm_bytes:
        memory = operators.device.hbm_bytes / 1e9
        raise ValueError(
            f"{name}: experts of {experts / 1e9:.1f} GB a die > {memory:.1f} GB of memory; use "
            "more expert dies or fewer slots"
        )
    weights = footprint(operators, 0 if table.disaggregated else slots, 0, 0.0).total
    free = operators.device.hbm_bytes - weights
    each = operators.model.cache_bytes(1.0, FORMAT_BYTES[operators.kv_format])
    capacity = int(free * table.dies_per_group / each) // scenario.block_tokens
    if capacity < 1:
        raise ValueError(
            f"{name}: weights of {weights / 1e9:.1f} GB a die leave {free / 1e9:.1f} GB of "
            f"{operators.device.hbm_bytes / 1e9:.1f} GB for the cache; use more dies or fewer slots"
        )
    return Shape(
        name,
        table.role,
        table.groups,
        table.dies_per_group,
        capacity * scenario.block_tokens,
        scenario.block_tokens,
        table.step_tokens,
        table.batch_limit,
        table.drafts,
        table.acceptance,
    )


def dispatcher_of(table: ExecutorTable) -> Dispatcher | None:
    """Return what splits tokens over replicas; ``None`` for the even split, the fastest."""
    return None if table.dispatcher == "even" else lb.make_dispatcher(table.dispatcher)


def price(
    table: ExecutorTable,
    executor: StepExecutor,
    placement: lb.Placement,
    load: ExpertLoad,
    seed: int,
) -> ColocatedPrice | DisaggregatedPrice:
    """Return what an executor's steps cost."""
    options = PriceOptions(dispatcher_of(table), table.host_s, table.drafts_s, seed)
    if not table.disaggregated:
        return ColocatedPrice(executor, placement, load, table.groups, options)
    apart = Disaggregated(
        executor.operators,
        executor.collectives,
        table.attention_domains,
        table.attention_dies,
        table.expert_dies,
        table.micro_batches,
        drafts=table.drafts,
        jitter=executor.jitter,
    )
    return DisaggregatedPrice(apart, placement, load, options)


def check_requests(trace: RequestTrace, shapes: list[Shape]) -> None:
    """Raise ValueError unless every request fits on every executor, whole and alone."""
    longest = trace.prompt_tokens + trace.output_tokens
    for one in shapes:
        most = int(longest.max()) + one.block_tokens
        if whole_blocks(most, one.block_tokens) > one.kv_capacity:
            at = int(longest.argmax())
            raise ValueError(
                f"request {at} has {trace.prompt_tokens[at]} prompt + {trace.output_tokens[at]} "
                f"output tokens > {one.kv_capacity} tokens of cache of a DP group of {one.name}; "
                "leave it out, or give groups more dies"
            )


def cache_bytes(scenario: ServingScenario) -> Callable[[float], float]:
    """Return the bytes of keys and values of so many tokens."""
    model, size = Model.preset(scenario.model), FORMAT_BYTES[scenario.kv_format]
    return lambda tokens: model.cache_bytes(tokens, size)
