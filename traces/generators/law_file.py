"""A law as a TOML file."""

import json
import tomllib
from pathlib import Path
from typing import Any

from traces.atomic_file import atomic_write
from traces.generators.law import Law

HEADING = "# A law of routing for podlab, traces.generators.Law: what is missing has its default."


def save(law: Law, path: str | Path) -> None:
    """Write the parameters that differ from their defaults to a TOML file, atomically."""
    lines = [HEADING, *(f"{name} = {toml_value(value)}" for name, value in law.as_dict().items())]
    with atomic_write(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def load(path: str | Path) -> Law:
    """Read a law from a TOML file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file, if it holds no law.
    """
    try:
        return Law.from_dict(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        raise ValueError(f"{path}: {error}") from None


def toml_value(value: Any) -> str:
    """Return a string, number or nested list as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string
    if isinstance(value, list):
        deep = bool(value) and isinstance(value[0], list)
        gap = ",\n  " if deep else ", "
        return f"[{gap.join(toml_value(entry) for entry in value)}]"
    return repr(value)
