"""Files by another name: in a task before it runs elsewhere, and back in its record."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any


def with_names(value: Any, names: dict[str, str]) -> Any:
    """Return nested fields, tables and lists with files named anew, ``:attribute`` kept."""
    if isinstance(value, str):
        name, colon, attribute = value.rpartition(":")
        return names.get(value) or (names[name] + colon + attribute if name in names else value)
    if isinstance(value, Path):
        return Path(names.get(str(value), value))
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: with_names(getattr(value, one.name), names) for one in fields(value)}
        return replace(value, **changed)
    if isinstance(value, dict):
        return {key: with_names(one, names) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_names(one, names) for one in value)
    return value


def with_texts(value: Any, texts: dict[str, str]) -> Any:
    """Return a record with those texts exchanged wherever they stand."""
    if isinstance(value, str):
        for text, other in texts.items():
            value = value.replace(text, other)
        return value
    if isinstance(value, dict):
        return {key: with_texts(one, texts) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_texts(one, texts) for one in value)
    return value
