"""From a scenario to the prices of an executor's steps, and the placement that it starts with."""

import dataclasses

import numpy as np

import lb
from evaluation.replay.scenario import fabric_of
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.disaggregated import DisaggregatedPrice
from evaluation.serving.pricing.expert_load import ExpertLoad
from evaluation.serving.pricing.options import PriceOptions
from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.step.disaggregated import Disaggregated
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Library, Model, Operators
from hardware.faults import Jitter
from lb.protocols import Dispatcher

#: Tokens of the drawn step that placements are made for at the start.
START_TOKENS = 16_384


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
    table: ExecutorTable, load: ExpertLoad, seed: int, shared: int = 0
) -> lb.Placement:
    """Return the placement at the start, solved for one step with equal tokens of every domain.

    Every token passes the ``shared`` experts, if they have ranks of their own.
    """
    tokens = np.full(len(load.domains), START_TOKENS / len(load.domains))
    counts = load(np.round(tokens), np.random.default_rng([seed, 3])).astype(np.int64)
    if shared:
        passing = np.full((len(counts), shared), int(np.round(tokens).sum()))
        counts = np.concatenate([counts, passing], axis=1)
    slots = table.slots_per_rank or -(-counts.shape[1] // table.expert_dies)
    return lb.solve(lb.Problem(counts, table.expert_dies, slots), table.solver)


def step_price(
    table: ExecutorTable,
    executor: StepExecutor,
    placement: lb.Placement,
    load: ExpertLoad,
    seed: int,
) -> ColocatedPrice | DisaggregatedPrice:
    """Return the price of an executor's steps."""
    options = PriceOptions(_dispatcher(table), table.host_s, table.drafts_s, seed)
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
