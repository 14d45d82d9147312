"""Scenarios of solvers and forecasters: a trace or a workload that is replayed on a deployment."""

import dataclasses
import hashlib
from typing import Any

import traces
from evaluation.kinds.task_spec import TaskSpec
from evaluation.records import record_file
from evaluation.replay.scenario import Scenario
from evaluation.replay.scenario_keys import CHECKS, REPLACED
from evaluation.replay.workload_windows import file_hashes
from hardware import Device, preset

OPTIONAL = frozenset(
    field.name for field in dataclasses.fields(Scenario) if field.default is not dataclasses.MISSING
) | {"trace", "window_steps"}


def read(where: str, table: dict[str, Any]) -> list[Scenario]:
    """Return the scenario of a table, once for each of its dispatchers.

    Raises
    ------
    ValueError
        Naming ``where``, if a key is unknown or missing, or its value is not allowed.
    """
    for key in REPLACED.keys() & table.keys():
        raise ValueError(f"{where}: {key} is no longer a key: {REPLACED[key]}")
    values = preset.checked(where, table, CHECKS, OPTIONAL)
    if ("trace" in values) == ("workload" in values):
        raise ValueError(f"{where}: give either trace or workload")
    names, workloads, dispatchers = (
        [value] if isinstance(value, str) else value
        for value in (
            values.get("trace", []),
            values.get("workload", []),
            values.get("dispatcher", "even"),
        )
    )
    if "window_s" in values and "workload" in values:
        values.setdefault("window_steps", 0)
    if "window_steps" not in values:
        raise ValueError(f"{where}: key 'window_steps' is missing; add it")
    if "split" in values:
        values["split"] = tuple(map(float, values["split"]))
    if len(set(dispatchers)) < len(dispatchers):
        raise ValueError(f"{where}: dispatcher = {dispatchers} names one twice")
    return [
        Scenario(
            **{
                **values,
                "trace": tuple(names),
                "workload": tuple(workloads),
                "dispatcher": dispatcher,
            }
        )
        for dispatcher in dispatchers
    ]


def inputs(task: TaskSpec) -> dict[str, Any]:
    """Return hashes of a user's own presets, of the device and of traces or workloads."""
    scenario: Scenario = task.scenario
    return {
        "presets": [record_file.user_file_hash(name) for name in scenario.presets],
        "device": hashlib.sha256(repr(Device.preset(scenario.device)).encode()).hexdigest(),
        "traces": _traces(scenario),
    }


def _traces(scenario: Scenario) -> list[Any]:
    """Return hashes of recorded traces; of generated ones what they depend on besides the seed."""
    if scenario.workload:
        files = [each for name in scenario.workload for each in file_hashes(name)]
        return [*files, record_file.provenance()["host"]["numpy"]]
    if scenario.is_drawn:
        return [*scenario.trace, record_file.provenance()["host"]["numpy"]]
    return [traces.open(name, "routing").content_hash for name in scenario.trace]
