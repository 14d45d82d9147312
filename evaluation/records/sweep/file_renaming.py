"""Rename files in a task before it runs on another machine, and back in its record."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any


def with_names(value: Any, names: dict[str, str]) -> Any:
    """Return a value with nested file names replaced; a suffix ``:attribute`` is kept."""
    if isinstance(value, str):
        name, colon, attribute = value.rpartition(":")
        return names.get(value) or (names[name] + colon + attribute if name in names else value)
    if isinstance(value, Path):
        return Path(names.get(str(value), value))
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            item.name: with_names(getattr(value, item.name), names) for item in fields(value)
        }
        return replace(value, **changes)
    if isinstance(value, dict):
        return {key: with_names(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_names(item, names) for item in value)
    return value


def with_texts(value: Any, texts: dict[str, str]) -> Any:
    """Return a record in which each text is replaced, also within longer strings."""
    if isinstance(value, str):
        for text, other in texts.items():
            value = value.replace(text, other)
        return value
    if isinstance(value, dict):
        return {key: with_texts(item, texts) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_texts(item, texts) for item in value)
    return value
