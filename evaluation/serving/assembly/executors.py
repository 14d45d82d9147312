"""From a scenario to the setups of its task executors: shape, price of steps, schedulers."""

import numpy as np

import schedulers
from evaluation.serving.assembly.pricing import start_placement, step_executor, step_price
from evaluation.serving.engine.executor_setup import (
    ExecutorSetup,
    ExecutorShape,
    GroupSchedulers,
)
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.step.executor import StepExecutor
from hardware.memory import footprint
from hardware.rooflines import FORMAT_BYTES
from traces.requests import RequestTrace
from traces.workload.step_draws import StepRouting


def executor_setups(
    scenario: ServingScenario, routing: StepRouting, trace: RequestTrace, seed: int
) -> list[ExecutorSetup]:
    """Return the setups of all executors of a scenario, in the order of its tables.

    Raises
    ------
    ValueError
        If a scheduler is unknown, or weights do not fit.
    """
    setups: list[ExecutorSetup] = []
    for table in scenario.executor:
        # Copies of a table share the step executor and the first placement, not the price.
        executor = step_executor(scenario, table)
        shared = 0 if scenario.shared_local else executor.operators.model.shared_experts
        placement = start_placement(table, routing, trace, seed, shared)
        for copy in range(table.count):
            number = len(setups)
            name = f"{table.role}-{copy}"
            shape = executor_shape(name, scenario, table, executor, placement.slots_per_rank)
            price = step_price(table, executor, placement, routing, seed + number)
            random = np.random.default_rng([seed, number, 1])
            setups.append(ExecutorSetup(shape, price, group_schedulers(scenario), random))
    return setups


def group_schedulers(scenario: ServingScenario) -> GroupSchedulers:
    """Return the schedulers inside one executor."""
    return GroupSchedulers(
        named_scheduler.make(schedulers.PREFILL, scenario.prefill),
        named_scheduler.make(schedulers.DECODE, scenario.decode),
        named_scheduler.make(schedulers.BATCH, scenario.batch),
        scenario.telemetry_s,
    )


def executor_shape(
    name: str, scenario: ServingScenario, table: ExecutorTable, executor: StepExecutor, slots: int
) -> ExecutorShape:
    """Return the shape of an executor whose cache is the memory that weights leave.

    Raises
    ------
    ValueError
        If the weights do not fit.
    """
    operators = executor.operators
    memory_bytes = operators.device.hbm_bytes
    experts = footprint(operators, slots, 0, 0.0).experts
    if table.disaggregated and experts > memory_bytes:
        raise ValueError(
            f"{name}: experts of {experts / 1e9:.1f} GB a die > {memory_bytes / 1e9:.1f} GB of "
            "memory; use more expert dies or fewer slots"
        )
    weights = footprint(operators, 0 if table.disaggregated else slots, 0, 0.0).total
    free = memory_bytes - weights
    token_bytes = operators.model.cache_bytes(1.0, FORMAT_BYTES[operators.kv_format])
    blocks = int(free * table.dies_per_group / token_bytes) // scenario.block_tokens
    if blocks < 1:
        raise ValueError(
            f"{name}: weights of {weights / 1e9:.1f} GB a die leave {free / 1e9:.1f} GB of "
            f"{memory_bytes / 1e9:.1f} GB for the cache; use more dies or fewer slots"
        )
    return ExecutorShape(
        name,
        table.role,
        table.groups,
        table.dies_per_group,
        blocks * scenario.block_tokens,
        scenario.block_tokens,
        table.step_tokens,
        table.batch_limit,
        table.drafts,
        table.acceptance,
    )
