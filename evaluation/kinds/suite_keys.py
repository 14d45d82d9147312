"""Keys of a suite's TOML that suites of solvers share, each read strictly."""

from typing import Any

import lb
from evaluation.replay.scenario_keys import name_or_names


def solvers(names: Any) -> tuple[str, ...]:
    """Return registered solvers.

    Raises
    ------
    ValueError
        Unless it is a list of different registered names.
    """
    if not isinstance(names, list) or name_or_names(names):
        raise ValueError(f"solvers = {names!r}; give a list of names")
    if twice := repeated_names(names):
        raise ValueError(f"solvers: {twice} occur twice; name each once")
    for name in names:
        lb.make(name)
    return tuple(names)


def parameters(tables: Any) -> dict[str, dict[str, Any]]:
    """Return parameters of solvers by name.

    Raises
    ------
    ValueError
        Unless it holds tables, each with parameters that the solver has.
    """
    if not isinstance(tables, dict):
        raise ValueError(f"parameters = {tables!r}; give tables [parameters.SOLVER]")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ValueError(f"parameters.{name} = {table!r}; give a table [parameters.{name}]")
        lb.make(name, **table)
    return tables


#: Keys of kinds that compare solvers.
KEYS = {"solvers": solvers, "parameters": parameters}


def repeated_names(names: list[str]) -> list[str]:
    """Return the names that a list holds more than once."""
    return sorted({name for name in names if names.count(name) > 1})
