"""Suites that rank schedulers or recoveries: scenarios, seeds and references, from TOML."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.serving.scenario import named_scheduler, stages
from evaluation.serving.scenario.rebalance_table import parse_rebalance
from evaluation.serving.scenario.scenario import ServingScenario, read
from hardware import preset

#: Kind of suite to the stages that may be ranked in it.
KINDS = {"serving": tuple(stages.REGISTRIES), "faults": ("recovery",)}


def _names(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return None if good and len(set(value)) == len(value) else "give a list of different names"


def _seeds(value: Any) -> str | None:
    good = isinstance(value, list) and all(preset.count(one) is None for one in value)
    if good and len(set(value)) == len(value) >= 2:
        return None
    return "give at least two different integers >= 0; one alone has no interval"


def _table(value: Any) -> str | None:
    return None if isinstance(value, dict) else "give a table"


CHECKS: dict[str, preset.Check] = {
    "id": preset.text,
    "kind": preset.text,
    "seeds": _seeds,
    "budget_s": preset.positive,
    "reference": preset.table_of(preset.text),
    "parameters": preset.table_of(_table),
    "scenario": lambda value: None if isinstance(value, list) and value else "give [[scenario]]",
}

#: What a [[scenario]] says of the ranking, and what it changes in its serving scenario.
OWN: dict[str, preset.Check] = {
    "id": preset.text,
    "serving": preset.text,
    "stages": _names,
    "leave_out": _names,
    "mtbf_s": preset.table_of(preset.positive),
    "repair_s": preset.table_of(preset.positive),
}
CHANGES: dict[str, preset.Check] = {
    "trace": preset.text,
    "requests": preset.count_from_one,
    "rate_factor": preset.positive,
    "routing": preset.text,
    "domains": preset.table_of(preset.positive),
    "ttft_s": preset.positive,
    "tpot_s": preset.positive,
    **dict.fromkeys(("job", "prefill", "batch", "decode", "decode_job"), named_scheduler.check),
    "rebalance": _table,
}


@dataclass(frozen=True)
class RankingScenario:
    """A serving scenario on which some stages are ranked.

    Parameters
    ----------
    scenario
        With the schedulers of all stages but the one that is exchanged.
    stages
        Those that are ranked on it.
    leave_out
        Schedulers that do not play on it.
    mtbf_s, repair_s
        Of the faults that each seed draws, by kind
        (:func:`evaluation.serving.faults.random_faults.random_faults`), the first of which breaks;
        empty: none.
    """

    scenario: ServingScenario
    stages: tuple[str, ...]
    leave_out: frozenset[str] = frozenset()
    mtbf_s: Mapping[str, float] = field(default_factory=dict)
    repair_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ServingSuite:
    """Scenarios on which schedulers, or modes of recovery, are ranked stage by stage.

    Parameters
    ----------
    id
        With a version that rises whenever scores could change.
    kind
        One of :data:`KINDS`.
    seeds
        Every scheduler plays every scenario with each of them.
    budget_s
        Seconds that the suite is meant to take at most, with two processes.
    reference
        By stage, the scheduler that the others are compared with.
    scenarios
        By id.
    parameters
        Of schedulers, by name.
    """

    id: str
    kind: str
    seeds: tuple[int, ...]
    budget_s: float
    reference: Mapping[str, str]
    scenarios: Mapping[str, RankingScenario]
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse(path: Path, content: dict[str, Any]) -> ServingSuite:
    """Return the suite of a TOML file.

    Raises
    ------
    ValueError
        Naming file and key of what is unknown, missing or impossible.
    """
    values = preset.checked(str(path), content, CHECKS, frozenset({"parameters"}))
    kind = values["kind"]
    if kind not in KINDS:
        raise ValueError(f"{path}: kind = {kind!r} is not one of {', '.join(KINDS)}")
    scenarios: dict[str, RankingScenario] = {}
    for table in values["scenario"]:
        name, one = _scenario(path, table, KINDS[kind])
        if name in scenarios:
            raise ValueError(f"{path}: scenario id {name!r} occurs twice; give each its own")
        scenarios[name] = one
    reference = values["reference"]
    ranked = {stage for one in scenarios.values() for stage in one.stages}
    for stage in sorted(ranked | set(reference)):
        known = stages.available(stage) if stage in ranked else []
        if reference.get(stage) not in known:
            raise ValueError(
                f"{path}: reference.{stage} = {reference.get(stage)!r}; give one for each stage "
                f"that is ranked, here one of {', '.join(known) or 'none'}"
            )
    for one in scenarios.values():
        if lacking := one.leave_out & {reference[stage] for stage in one.stages}:
            raise ValueError(f"{path}: leave_out names the reference {min(lacking)!r}; keep it")
    return ServingSuite(
        str(values["id"]),
        kind,
        tuple(values["seeds"]),
        float(values["budget_s"]),
        reference,
        scenarios,
        values.get("parameters", {}),
    )


def _scenario(path: Path, table: Any, able: tuple[str, ...]) -> tuple[str, RankingScenario]:
    """Return the id and what a [[scenario]] table says."""
    if not isinstance(table, dict):
        raise ValueError(f"{path}: scenario = {table!r}; give [[scenario]] tables")
    where = f"{path}: scenario {table.get('id', '?')!r}"
    checks = OWN | CHANGES
    values = preset.checked(
        where, dict(table), checks, frozenset(checks) - {"id", "serving", "stages"}
    )
    own = {key: values.pop(key) for key in OWN if key in values}
    wrong = [stage for stage in own["stages"] if stage not in able]
    if wrong or not own["stages"]:
        raise ValueError(f"{where}: stages = {own['stages']}; give some of {', '.join(able)}")
    if "rebalance" in values:
        values["rebalance"] = parse_rebalance(values["rebalance"], f"{where}: rebalance")
    if "routing" in values:
        values["routing"] = (values["routing"],)
    scenario = dataclasses.replace(read(own["serving"]), name=own["id"], **values)
    return own["id"], RankingScenario(
        scenario,
        tuple(own["stages"]),
        frozenset(own.get("leave_out", ())),
        own.get("mtbf_s", {}),
        own.get("repair_s", {}),
    )
