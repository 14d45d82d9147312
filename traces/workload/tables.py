"""Tables of a TOML file, checked key by key."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any


def checked_table(value: Any, where: str, known: Collection[str]) -> dict[str, Any]:
    """Return a table whose keys are all known.

    Raises
    ------
    ValueError
        Naming the key that is not, and the nearest that is.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} = {value!r} is no table; give keys {', '.join(known)}")
    for key in value:
        if key not in known:
            near = get_close_matches(key, list(known), 1, 0.0)
            hint = f" (nearest: {near[0]})" if near else ""
            raise ValueError(f"{where} has no key {key!r}; there are {', '.join(known)}{hint}")
    return dict(value)


def needed(table: Mapping[str, Any], key: str, where: str) -> Any:
    """Return the value of a key.

    Raises
    ------
    ValueError
        If it is missing.
    """
    if key not in table:
        raise ValueError(f"{where} lacks {key}; give it")
    return table[key]


def made(factory: Any, table: Mapping[str, Any], where: str) -> Any:
    """Return what the factory makes of a table; its errors name the table.

    Raises
    ------
    ValueError
        If a key is missing, or a value is out of its range or of another type.
    """
    try:
        return factory(**table)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
