"""From a scenario to the faults that it plays."""

from collections.abc import Callable
from dataclasses import replace

import simpy

from evaluation.replay.scenario import fabric_of
from evaluation.serving import build
from evaluation.serving.engine.system import System
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import random_faults
from evaluation.serving.pricing.expert_load import ExpertLoad
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.recovery.executor_health import Condition
from evaluation.serving.recovery.fault_injector import Outages
from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Fabric
from lb import Placement


def outages_of(
    env: simpy.Environment,
    scenario: ServingScenario,
    system: System,
    load: ExpertLoad,
    seed: int,
    last_s: float,
) -> Outages:
    """Return what plays the faults of a scenario, those drawn among them.

    Parameters
    ----------
    env, system
        What runs.
    scenario
        Its ``fault``, ``faults`` and ``recovery``.
    load
        Of the experts, for executors that go on with fewer dies.
    seed
        Of the draws.
    last_s
        Faults are drawn before, unless ``faults`` says otherwise.

    Raises
    ------
    ValueError
        Naming the fault that cannot be.
    """
    if not scenario.fault and scenario.faults is None:
        return Outages(env, system, [], (), scenario.recovery)
    tables = [table for table in scenario.executor for _ in range(table.count)]
    conditions = []
    for table, executor in zip(tables, system.executors, strict=True):
        fabric = fabric_of(scenario.fabric, table.dies)
        ours = str(fabric.figures.get("default_plane", "ub"))
        kv_plane = ours if scenario.plane in ("ub", "scale-up") else scenario.plane
        planes = {ours: fabric}
        if kv_plane == "rdma" != ours:
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
        reprice = _repricing(scenario, table, load, seed + executor.number)
        missing = scenario.recovery.mode == "missing-experts"
        conditions.append(Condition(executor, dies, missing, kv_plane, reprice))
    faults = [*scenario.fault, *_drawn(scenario, conditions, seed, last_s)]
    return Outages(env, system, conditions, faults, scenario.recovery)


def _drawn(
    scenario: ServingScenario, conditions: list[Condition], seed: int, last_s: float
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
    dies = [one.dies for one in conditions]
    return random_faults(dies, rates.mtbf_s, until_s, seed, rates.repair_s)


def _repricing(
    scenario: ServingScenario, table: ExecutorTable, load: ExpertLoad, seed: int
) -> Callable[[Placement, int], PlacedPrice]:
    """Return what prices an executor of fewer dies: colocated with fewer groups, else not."""

    def reprice(placement: Placement, groups: int) -> PlacedPrice:
        attention = table.attention_domains * table.attention_dies
        left = replace(table, dies=attention + placement.num_ranks)
        if not table.disaggregated:
            left = replace(left, dies_per_group=placement.num_ranks // groups)
        pricer = build.step_executor(scenario, left)
        return build.price(left, pricer, placement, load, seed)

    return reprice
