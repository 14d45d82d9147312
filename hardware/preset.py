"""Presets: TOML files that people edit, read strictly."""

import difflib
import functools
import math
import pickle
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "presets"
KINDS = ("devices", "kernels", "models", "fabrics", "collectives")

Check = Callable[[Any], str | None]


def available(kind: str) -> list[str]:
    """Return the bundled presets of a kind, one of ``KINDS``."""
    if kind not in KINDS:
        raise ValueError(f"kind = {kind!r} is not one of {', '.join(KINDS)}")
    return sorted(path.stem for path in (FOLDER / kind).glob("*.toml"))


def find(kind: str, name_or_path: str | Path) -> Path:
    """Return the file of a bundled preset, or the user's own; errors as in :func:`find_file`."""
    available(kind)
    return find_file("preset", FOLDER / kind, name_or_path)


def find_file(noun: str, folder: Path, name_or_path: str | Path) -> Path:
    """Return the TOML file of that name in ``folder``, or the user's own ``.toml`` file.

    Raises
    ------
    ValueError
        If there is no such file, or no such name; the nearest is suggested.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise ValueError(f"{path}: there is no such {noun} file")
        return path
    names = sorted(found.stem for found in folder.glob("*.toml"))
    if str(name_or_path) not in names:
        near = difflib.get_close_matches(str(name_or_path), names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"unknown {noun} {str(name_or_path)!r}: {hint}bundled are {', '.join(names)}; "
            "your own is given as a path to a .toml file"
        )
    return folder / f"{name_or_path}.toml"


def read(path: Path, checks: Mapping[str, Check], optional: frozenset[str]) -> dict[str, Any]:
    """Return the keys of a preset file; errors as in :func:`parse` and :func:`checked`."""
    return checked(str(path), parse(path), checks, optional)


def parse(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file, or raise ValueError naming it."""
    state = path.stat()
    # A suite reads a preset for each of its hundreds of tasks. What it gets is its own.
    contents: dict[str, Any] = pickle.loads(_pickled(path, state.st_mtime_ns, state.st_size))
    return contents


@functools.lru_cache(maxsize=64)
def _pickled(path: Path, mtime_ns: int, size: int) -> bytes:
    """Return the contents of a file as it was at that time and size, pickled."""
    try:
        return pickle.dumps(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not TOML: {error}") from None


def checked(
    where: str, values: dict[str, Any], checks: Mapping[str, Check], optional: frozenset[str]
) -> dict[str, Any]:
    """Return ``values`` if every key is known, none is missing and every value is possible.

    Raises
    ------
    ValueError
        Naming ``where`` and the key: unknown (the nearest known one is suggested), missing, or
        with a value that its check refuses.
    """
    for key in values:
        if key not in checks:
            near = difflib.get_close_matches(key, checks, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(checks)}"
            raise ValueError(f"{where}: unknown key {key!r}; {hint}")
    for key, check in checks.items():
        if key not in values and key not in optional:
            raise ValueError(f"{where}: key {key!r} is missing; add it")
        complaint = check(values[key]) if key in values else None
        if complaint:
            raise ValueError(f"{where}: {key} = {values[key]!r}; {complaint}")
    return values


def text(value: Any) -> str | None:
    """Complain unless ``value`` is a non-empty string."""
    return None if isinstance(value, str) and value else "give a non-empty string"


def truth(value: Any) -> str | None:
    """Complain unless ``value`` is true or false."""
    return None if isinstance(value, bool) else "give true or false"


def positive(value: Any) -> str | None:
    """Complain unless ``value`` is a positive finite number."""
    good = _is_number(value) and math.isfinite(value) and value > 0
    return None if good else "give a finite number > 0"


def not_negative(value: Any) -> str | None:
    """Complain unless ``value`` is a finite number of at least 0."""
    good = _is_number(value) and math.isfinite(value) and value >= 0
    return None if good else "give a finite number >= 0"


def count(value: Any) -> str | None:
    """Complain unless ``value`` is an integer of at least 0."""
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if good else "give an integer >= 0"


def count_from_one(value: Any) -> str | None:
    """Complain unless ``value`` is an integer of at least 1."""
    return None if count(value) is None and value >= 1 else "give an integer >= 1"


def fraction(value: Any) -> str | None:
    """Complain unless 0 < value <= 1."""
    return None if _is_number(value) and 0 < value <= 1 else "give a fraction: 0 < value <= 1"


def table_of(check: Check) -> Check:
    """Return a check of a non-empty table whose values all pass ``check``."""

    def check_table(value: Any) -> str | None:
        if not isinstance(value, dict) or not value:
            return "give a table with at least one entry"
        for key, entry in value.items():
            complaint = check(entry)
            if complaint:
                return f"{key} = {entry!r}; {complaint}"
        return None

    return check_table


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
