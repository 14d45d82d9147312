"""From a scenario to its faults and the health of its executors."""

from collections.abc import Callable
from dataclasses import replace

import simpy

from evaluation.replay.scenario import fabric_of
from evaluation.serving.assembly.pricing import step_executor, step_price
from evaluation.serving.engine.system import System
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import random_faults
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.recovery.executor_health import ExecutorHealth
from evaluation.serving.recovery.fault_injector import FaultInjector
from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Fabric
from lb import Placement
from traces.workload.step_draws import StepRouting


def build_fault_injector(
    env: simpy.Environment,
    scenario: ServingScenario,
    system: System,
    routing: StepRouting,
    seed: int,
    last_s: float,
) -> FaultInjector:
    """Return the injector of a scenario's faults, random ones among them.

    Parameters
    ----------
    env, system
        Event time, and the system that runs in it.
    scenario
        Its ``fault``, ``faults`` and ``recovery`` tables.
    routing
        Draws expert loads, for executors that go on with fewer dies.
    seed
        Random seed.
    last_s
        Random faults come before this second, unless ``faults`` says otherwise.

    Raises
    ------
    ValueError
        Naming the fault that cannot happen.
    """
    if not scenario.fault and scenario.faults is None:
        return FaultInjector(env, system, [], (), scenario.recovery)
    tables = [table for table in scenario.executor for _ in range(table.count)]
    health = [
        _healthy(scenario, table, executor, routing, seed)
        for table, executor in zip(tables, system.executors, strict=True)
    ]
    random_part = _random_faults(scenario, [each.dies for each in health], seed, last_s)
    return FaultInjector(env, system, health, [*scenario.fault, *random_part], scenario.recovery)


def _healthy(
    scenario: ServingScenario,
    table: ExecutorTable,
    executor: TaskExecutor,
    routing: StepRouting,
    seed: int,
) -> ExecutorHealth:
    """Return the health of an executor before any fault."""
    fabric = fabric_of(scenario.fabric, table.dies)
    own_plane = str(fabric.figures.get("default_plane", "ub"))
    kv_plane = own_plane if scenario.plane in ("ub", "scale-up") else scenario.plane
    planes = {own_plane: fabric}
    if kv_plane == "rdma" != own_plane:
        planes[kv_plane] = Fabric.preset(scenario.fabric, table.dies, kv_plane)
    price = executor.price
    dies = ExecutorDies(
        executor.shape.name,
        executor.shape.role,
        table.dies,
        int(fabric.figures.get("dies_per_node", table.dies)),
        executor.shape.groups,
        table.attention_domains * table.attention_dies or None,
        price.placement if isinstance(price, PlacedPrice) else None,
        fabric=fabric,
        planes=planes,
    )
    reprice = _repricing(scenario, table, routing, seed + executor.number)
    missing = scenario.recovery.mode == "missing-experts"
    return ExecutorHealth(executor, dies, missing, kv_plane, reprice)


def _random_faults(
    scenario: ServingScenario, executors: list[ExecutorDies], seed: int, last_s: float
) -> tuple[Fault, ...]:
    rates = scenario.faults
    if rates is None:
        return ()
    until_s = last_s if rates.until_s is None else rates.until_s
    if not until_s > 0:
        raise ValueError(
            f"{scenario.name}: all requests arrive at {last_s:g} s; give faults.until_s, the "
            "seconds in which devices may fail"
        )
    return random_faults(executors, rates.mtbf_s, until_s, seed, rates.repair_s)


def _repricing(
    scenario: ServingScenario, table: ExecutorTable, routing: StepRouting, seed: int
) -> Callable[[Placement, int], PlacedPrice]:
    """Return a function that prices an executor of fewer dies.

    A colocated executor then has fewer DP groups; a disaggregated one keeps its attention dies.
    """

    def reprice(placement: Placement, groups: int) -> PlacedPrice:
        attention = table.attention_domains * table.attention_dies
        left = replace(table, dies=attention + placement.num_ranks)
        if not table.disaggregated:
            left = replace(left, dies_per_group=placement.num_ranks // groups)
        pricer = step_executor(scenario, left)
        return step_price(left, pricer, placement, routing, seed)

    return reprice
