"""A law as a dict and as a TOML file."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from traces.atomic_file import atomic_write
from traces.generators.law import Law

HEADING = "# A law of routing for podlab, traces.generators.Law: what is missing has its default."


def as_dict(law: Law) -> dict[str, Any]:
    """Return what differs from the defaults, as numbers, text and lists."""
    found: dict[str, Any] = {}
    for field in fields(law):
        value = getattr(law, field.name)
        if value is field.default or (field.default is not MISSING and _same(value, field.default)):
            continue
        found[field.name] = _plain(value)
    return found


def from_dict(given: Mapping[str, Any]) -> Law:
    """Return the law of :func:`as_dict`.

    Raises
    ------
    ValueError
        If a field is unknown, missing or out of its range.
    """
    known = {field.name: field for field in fields(Law)}
    for name in given:
        if name not in known:
            raise ValueError(f"{name} is not a field of a law; there are {', '.join(known)}")
    for name, field in known.items():
        if field.default is MISSING and name not in given:
            raise ValueError(f"{name} is missing; every law has one")
    values = dict(given)
    try:
        if values.get("mix") is not None:
            values["mix"] = tuple(values["mix"])
        if values.get("schedule") is not None:
            values["schedule"] = tuple((steps, tuple(mix)) for steps, mix in values["schedule"])
        return Law(**values)
    except TypeError as error:
        raise ValueError(f"a field has the wrong form: {error}") from None


def save(law: Law, path: str | Path) -> None:
    """Write a TOML file, whole or not at all."""
    lines = [HEADING, *(f"{name} = {_toml(value)}" for name, value in as_dict(law).items())]
    with atomic_write(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def load(path: str | Path) -> Law:
    """Read a TOML file.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or it holds no law; the file is named.
    """
    try:
        return from_dict(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        raise ValueError(f"{path}: {error}") from None


def _same(value: Any, default: Any) -> bool:
    return type(value) in (int, float, str) and bool(value == default)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string
    if isinstance(value, list):
        deep = bool(value) and isinstance(value[0], list)
        gap = ",\n  " if deep else ", "
        return f"[{gap.join(_toml(one) for one in value)}]"
    return repr(value)
