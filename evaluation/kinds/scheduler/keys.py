"""Keys of a suite's TOML that only suites of schedulers have, each read strictly."""

from typing import Any

from hardware import preset


def _table(value: Any) -> str | None:
    return None if isinstance(value, dict) else "give a table"


def reference(table: Any) -> dict[str, str]:
    """Return the reference scheduler of each stage; ValueError if it holds anything but names."""
    if wrong := preset.table_of(preset.text)(table):
        raise ValueError(f"reference = {table!r}; {wrong}")
    return dict(table)


def parameters(tables: Any) -> dict[str, dict[str, Any]]:
    """Return parameters of schedulers by name; ValueError if it holds no tables."""
    if wrong := preset.table_of(_table)(tables):
        raise ValueError(f"parameters = {tables!r}; {wrong}")
    return dict(tables)


KEYS = {"reference": reference, "parameters": parameters}
