"""From a scenario to the prices of an executor's steps, and the placement that it starts with."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay.scenario import fabric_of
from evaluation.serving.engine.token_conditions import token_conditions
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.disaggregated import DisaggregatedPrice
from evaluation.serving.pricing.options import PriceOptions
from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.step.disaggregated import Disaggregated
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Library, Model, Operators
from hardware.faults import Jitter
from lb.protocols import Dispatcher
from traces.requests import RequestTrace
from traces.workload.routing_model import RoutingModel
from traces.workload.step_draws import StepRouting

#: Tokens of the drawn step that placements are made for at the start.
START_TOKENS = 16_384
#: Purpose number of the generator of what their requests leave open.
START = 8


def step_executor(scenario: ServingScenario, table: ExecutorTable) -> StepExecutor:
    """Return the model that prices the layers of an executor."""
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
    table: ExecutorTable, routing: StepRouting, trace: RequestTrace, seed: int, shared: int = 0
) -> lb.Placement:
    """Return the placement at the start, solved for one step; see :func:`start_tokens`.

    Every token passes the ``shared`` experts, if they have ranks of their own.
    """
    tokens = start_tokens(table.role, routing.model, trace, seed)
    counts = routing.sampled(tokens, 0.0, np.random.default_rng([seed, 3])).astype(np.int64)
    if shared:
        passing = np.full((len(counts), shared), tokens.sum())
        counts = np.concatenate([counts, passing], axis=1)
    slots = table.slots_per_rank or -(-counts.shape[1] // table.expert_dies)
    return lb.solve(lb.Problem(counts, table.expert_dies, slots), table.solver)


def start_tokens(
    role: str, routing: RoutingModel, trace: RequestTrace, seed: int
) -> NDArray[np.int64]:
    """Return [conditions] tokens that placements at the start are solved for.

    They are of the phases of a ``role``, in equal parts of every domain, whatever the requests are
    about, and with the lengths of all requests in each. What requests leave open, as the kinds of
    their sequences, is drawn anew: no placement knows the sequences that it will serve.
    """
    phases = ("prefill", "decode") if role == "both" else (role,)
    streams = [trace.in_domain(name) for name in routing.domain_names] or [trace]
    shares = np.zeros(routing.num_conditions)
    for stream in streams:
        conditions = token_conditions(routing, stream, [seed, START])
        tokens = sum(conditions.of_requests(stream, phase) for phase in phases)
        shares += tokens / np.sum(tokens) / len(streams)
    return np.round(shares * START_TOKENS).astype(np.int64)


def step_price(
    table: ExecutorTable,
    executor: StepExecutor,
    placement: lb.Placement,
    routing: StepRouting,
    seed: int,
) -> ColocatedPrice | DisaggregatedPrice:
    """Return the price of an executor's steps."""
    options = PriceOptions(_dispatcher(table), table.host_s, table.drafts_s, seed)
    load = routing.draws()
    if not table.disaggregated:
        return ColocatedPrice(executor, placement, load, table.groups, options)
    disaggregated = Disaggregated(
        executor.operators,
        executor.collectives,
        table.attention_domains,
        table.attention_dies,
        table.expert_dies,
        table.micro_batches,
        drafts=table.drafts,
        jitter=executor.jitter,
    )
    return DisaggregatedPrice(disaggregated, placement, load, options)


def _dispatcher(table: ExecutorTable) -> Dispatcher | None:
    """Return the dispatcher over replicas; ``None`` for the even split, which is fastest so."""
    return None if table.dispatcher == "even" else lb.make_dispatcher(table.dispatcher)
