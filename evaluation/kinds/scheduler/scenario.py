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
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return None if good and len(set(value)) == len(value) else "give a list of different names"


def _table(value: Any) -> str | None:
    return None if isinstance(value, dict) else "give a table"


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
    id
        Name, unique in its suite.
    scenario
        With the schedulers of all stages but the one that is exchanged.
    stages
        Those that are ranked on it.
    leave_out
        Schedulers that do not run on it.
    mtbf_s, repair_s
        Of the faults that each seed draws, by kind
        (:func:`evaluation.serving.faults.random_faults.random_faults`), the first of which breaks;
        empty: none.
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
            stages.seeded(self.scenario, 0)
        except ValueError as error:
            raise ValueError(f"scenario {self.id!r}: {error}") from None


def read(where: str, table: dict[str, Any], able: tuple[str, ...]) -> RankingScenario:
    """Return the scenario of a table.

    Parameters
    ----------
    where
        File and scenario, for messages.
    table
        Of :data:`OWN` and :data:`CHANGES`.
    able
        Stages that may be ranked.

    Raises
    ------
    ValueError
        Naming ``where``, if a key is unknown, missing, or holds what it may not.
    """
    checks = OWN | CHANGES
    optional = frozenset(checks) - {"id", "serving", "stages"}
    values = preset.checked(where, dict(table), checks, optional)
    own = {key: values.pop(key) for key in OWN if key in values}
    wrong = [stage for stage in own["stages"] if stage not in able]
    if wrong or not own["stages"]:
        raise ValueError(f"{where}: stages = {own['stages']}; give some of {', '.join(able)}")
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
