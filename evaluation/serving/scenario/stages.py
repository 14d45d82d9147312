"""Stages of serving: schedulers and policies that can be replaced one at a time for ranking."""

import dataclasses
from typing import Any

import schedulers
from evaluation.serving.faults.recovery import MODES
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from evaluation.serving.scenario.scenario import ServingScenario
from lb.registry import Registry

#: Stage, as a scenario's key, to the registries of its schedulers; the first that has a name
#: makes it. Decode executors are chosen by either kind of router.
REGISTRIES: dict[str, tuple[Registry, ...]] = {
    "job": (schedulers.JOB,),
    "prefill": (schedulers.PREFILL,),
    "batch": (schedulers.BATCH,),
    "decode": (schedulers.DECODE,),
    "decode_job": (schedulers.JOB, schedulers.DECODE),
    "rebalance": (schedulers.REBALANCE,),
}
STAGES = (*REGISTRIES, "recovery")


def available(stage: str) -> list[str]:
    """Return the names of all choices for a stage, sorted; modes of recovery in their order."""
    if stage == "recovery":
        return list(MODES)
    return sorted({name for registry in REGISTRIES[stage] for name in registry.available()})


def with_scheduler(
    scenario: ServingScenario, stage: str, name: str, parameters: dict[str, Any] | None = None
) -> ServingScenario:
    """Return the scenario with another scheduler, policy or mode of recovery at one stage.

    Parameters
    ----------
    scenario
        The scenario; of its [rebalance] and [recovery] tables only the policy or the mode changes.
    stage
        One of :data:`STAGES`.
    name
        One of :func:`available`.
    parameters
        Parameters of the scheduler.
    """
    scheduler: Any = {"name": name, **parameters} if parameters else name
    if stage == "recovery":
        scheduler = dataclasses.replace(scenario.recovery, mode=name)
    elif stage == "rebalance":
        scheduler = dataclasses.replace(scenario.rebalance or RebalanceTable(), policy=scheduler)
    changed: dict[str, Any] = {stage: scheduler}
    return dataclasses.replace(scenario, **changed)


def with_seed(scenario: ServingScenario, seed: int) -> ServingScenario:
    """Return the scenario with ``seed`` for every random scheduler that has no seed.

    Raises
    ------
    ValueError
        If a scheduler is unknown; the nearest is suggested.
    """
    changed: dict[str, Any] = {}
    for stage, registries in REGISTRIES.items():
        if stage == "rebalance":
            continue  # no policy is random
        scheduler = getattr(scenario, stage)
        table = {"name": scheduler} if isinstance(scheduler, str) else dict(scheduler)
        # a router of decode groups may choose among executors too
        allowed = (*registries, schedulers.DECODE) if stage == "job" else registries
        registry = next((each for each in allowed if table["name"] in each.available()), allowed[0])
        if "seed" in registry.parameters(table["name"]):
            changed[stage] = {"seed": seed, **table}
    return dataclasses.replace(scenario, **changed)
