"""A serving scenario on which some stages are ranked, from a [[scenario]] table."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.serving.scenario import named_scheduler, stages
from evaluation.serving.scenario import scenario as serving_scenario
from evaluation.serving.scenario.rebalance_table import parse_rebalance
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import preset


def _names(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return None if good and len(set(value)) == len(value) else "give a list of different names"


def _table(value: Any) -> str | None:
    return None if isinstance(value, dict) else "give a table"


#: Keys of a [[scenario]] table about the ranking, and keys that change its serving scenario.
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
    id
        Name, unique in its suite.
    scenario
        Serving scenario; a candidate replaces the scheduler of its stage.
    stages
        Stages that are ranked on it.
    leave_out
        Schedulers that do not run on it.
    mtbf_s, repair_s
        Mean time between failures and to repair, by kind of fault, as in
        :func:`evaluation.serving.faults.random_faults.random_faults`. The first fault that a seed
        draws happens; empty: none.
    """

    id: str
    scenario: ServingScenario
    stages: tuple[str, ...]
    leave_out: frozenset[str] = frozenset()
    mtbf_s: Mapping[str, float] = field(default_factory=dict)
    repair_s: Mapping[str, float] = field(default_factory=dict)

    is_drawn = True

    def check(self) -> None:
        """Raise ValueError, naming the scenario, if a scheduler in it is unknown."""
        try:
            stages.with_seed(self.scenario, 0)
        except ValueError as error:
            raise ValueError(f"scenario {self.id!r}: {error}") from None


def read(where: str, table: dict[str, Any], rankable: tuple[str, ...]) -> RankingScenario:
    """Return the scenario of a table.

    Parameters
    ----------
    where
        File and scenario, for messages.
    table
        Keys of :data:`OWN` and :data:`CHANGES`.
    rankable
        Stages that may be ranked.

    Raises
    ------
    ValueError
        Naming ``where``, if a key is unknown or missing, or its value is not allowed.
    """
    checks = OWN | CHANGES
    optional = frozenset(checks) - {"id", "serving", "stages"}
    values = preset.checked(where, dict(table), checks, optional)
    own = {key: values.pop(key) for key in OWN if key in values}
    wrong = [stage for stage in own["stages"] if stage not in rankable]
    if wrong or not own["stages"]:
        raise ValueError(f"{where}: stages = {own['stages']}; give some of {', '.join(rankable)}")
    if "rebalance" in values:
        values["rebalance"] = parse_rebalance(values["rebalance"], f"{where}: rebalance")
    if "routing" in values:
        values["routing"] = (values["routing"],)
    base = serving_scenario.read(own["serving"])
    return RankingScenario(
        own["id"],
        dataclasses.replace(base, name=own["id"], **values),
        tuple(own["stages"]),
        frozenset(own.get("leave_out", ())),
        own.get("mtbf_s", {}),
        own.get("repair_s", {}),
    )
