"""[recovery] tables of a serving scenario."""

from typing import Any

from evaluation.serving.faults.recovery import CHECKS, Recovery
from hardware import preset


def parse_recovery(table: Any, where: str = "recovery") -> Recovery:
    """Return the recovery of a [recovery] table; what it leaves out has its default.

    Raises
    ------
    ValueError
        Naming the key that is unknown or has an impossible value.
    """
    if not isinstance(table, dict):
        raise ValueError(f"{where} = {table!r}; give a [recovery] table")
    return Recovery(**preset.checked(where, table, CHECKS, frozenset(CHECKS)))
