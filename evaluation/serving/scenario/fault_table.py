"""[[fault]] and [faults] tables of a serving scenario: scheduled faults and failure rates."""

import dataclasses
from typing import Any

from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS
from evaluation.serving.faults.random_faults import FaultRates, check_rates
from hardware import preset


def _kind(value: Any) -> str | None:
    known = isinstance(value, str) and value in KINDS
    return None if known else f"give one of {', '.join(KINDS)}"


#: What each key of a [[fault]] table may hold.
CHECKS: dict[str, preset.Check] = {
    **{field.name: field.metadata["check"] for field in dataclasses.fields(Fault)},
    "kind": _kind,
}
OPTIONAL = frozenset(CHECKS) - {"at_s", "executor", "kind"}


def parse_faults(tables: Any, where: str = "fault") -> tuple[Fault, ...]:
    """Return the faults of [[fault]] tables, in their order.

    Raises
    ------
    ValueError
        Naming the table by its number and the key that is unknown, missing or has an impossible
        value.
    """
    if not isinstance(tables, list):
        raise ValueError(f"{where} = {tables!r}; give [[fault]] tables")
    faults = []
    for number, table in enumerate(tables):
        if not isinstance(table, dict):
            raise ValueError(f"{where}[{number}] = {table!r}; give [[fault]] tables")
        faults.append(Fault(**preset.checked(f"{where}[{number}]", table, CHECKS, OPTIONAL)))
    return tuple(faults)


def as_table(fault: Fault) -> dict[str, Any]:
    """Return the [[fault]] table of a fault, without keys at their default."""
    default = Fault(0.0, "", "")
    table = {"at_s": fault.at_s, "executor": fault.executor, "kind": fault.kind}
    for name in sorted(OPTIONAL):
        if getattr(fault, name) != getattr(default, name):
            table[name] = getattr(fault, name)
    return table


#: Check of each key of the [faults] table.
RATE_CHECKS: dict[str, preset.Check] = {
    "mtbf_s": preset.table_of(preset.positive),
    "repair_s": preset.table_of(preset.positive),
    "until_s": preset.positive,
}


def parse_rates(table: Any, where: str = "faults") -> FaultRates:
    """Return the rates of a [faults] table.

    Raises
    ------
    ValueError
        Naming the key that is unknown, missing or not positive.
    """
    if not isinstance(table, dict):
        raise ValueError(f"{where} = {table!r}; give a [{where}.mtbf_s] table")
    values = preset.checked(where, table, RATE_CHECKS, frozenset({"repair_s", "until_s"}))
    rates = FaultRates(values["mtbf_s"], values.get("repair_s", {}), values.get("until_s"))
    check_rates(rates.mtbf_s, rates.repair_s)
    return rates
