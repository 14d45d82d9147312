"""A law of loads as a TOML file."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from traces.atomic_file import atomic_write
from traces.generators.law_file import toml_value
from traces.generators.loads.curve import Curve
from traces.generators.loads.law import LoadLaw

KIND = "loads"
HEADING = "# A law of loads by condition for podlab, traces.generators.loads.LoadLaw."
ARRAYS = ("base", "directions")
PLAIN = ("model", "top_k", "residual", "sequence_correlation", "source", "seed")


def save(law: LoadLaw, path: str | Path) -> None:
    """Write a law to a TOML file, atomically. :func:`load` gives an equal law back."""
    lines = [HEADING, f"kind = {toml_value(KIND)}"]
    lines += [f"{name} = {toml_value(getattr(law, name))}" for name in PLAIN]
    lines += [f"domains = {toml_value(list(law.domains))}"]
    lines += [f"{name} = {toml_value(np.asarray(getattr(law, name)).tolist())}" for name in ARRAYS]
    lines += ["", "[recordings]"]
    for name, values in (law.recordings or {}).items():
        lines.append(f"{toml_value(name)} = {toml_value(list(values))}")
    for curve in law.curves:
        lines += ["", "[[curves]]"]
        for name, value in _curve_fields(curve).items():
            lines.append(f"{name} = {toml_value(value)}")
    with atomic_write(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def load(path: str | Path) -> LoadLaw:
    """Read a law from a TOML file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file, if it holds no law of loads.
    """
    try:
        return _law(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        raise ValueError(f"{path}: {error}") from None


def is_load_law(path: str | Path) -> bool:
    """Return whether a TOML file says that it holds a law of loads, and not one of routing."""
    with Path(path).open(encoding="utf-8") as file:
        return f"kind = {toml_value(KIND)}" in (
            line.strip() for _, line in zip(range(8), file, strict=False)
        )


def _law(values: dict[str, Any]) -> LoadLaw:
    kind = values.pop("kind", None)
    if kind != KIND:
        raise ValueError(f"kind = {kind!r} is not {KIND!r}; laws of routing are read elsewhere")
    curves = values.pop("curves", [])
    try:
        values["domains"] = tuple(values.get("domains", ()))
        return LoadLaw(**values, curves=tuple(Curve(**curve) for curve in curves))
    except TypeError as error:
        raise ValueError(f"a field is missing, unknown or has the wrong form: {error}") from None


def _curve_fields(curve: Curve) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "phase": curve.phase,
        "axis": curve.axis,
        "knots": np.asarray(curve.knots).tolist(),
        "values": np.asarray(curve.values).tolist(),
    }
    return fields if curve.domain is None else {**fields, "domain": curve.domain}
