"""What a task needs on another machine: the user's own files, and podlab's code."""

import io
import os
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from evaluation.records.source_hash import PACKAGES, ROOT


def own_files(tasks: Iterable[Any]) -> list[str]:
    """Return the names, as tasks write them, of the files that they name in their fields.

    A name is a string or path of a file that is there, with or without ``:attribute`` behind it.
    TOML files are looked through too, for they may name others.
    """
    found: dict[str, None] = {}
    ahead = [text for task in tasks for text in _texts(task)]
    seen = set(ahead)
    while ahead:
        name = file_of(ahead.pop())
        if name is None or name in found:
            continue
        found[name] = None
        if name.endswith(".toml"):
            inside = [text for text in _texts(_parsed(Path(name))) if text not in seen]
            seen.update(inside)
            ahead += inside
    return sorted(found)


def file_of(text: str) -> str | None:
    """Return the file that a text names; None if it names none."""
    for name in (text, text.rpartition(":")[0]):
        # longer ones, or of several lines, are no names of files, and some systems raise
        if name and len(name) < 1024 and "\0" not in name and os.path.isfile(name):
            return name
    return None


def code() -> bytes:
    """Return podlab itself, presets and samples included, as a ZIP file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, path.relative_to(ROOT))
    return written.getvalue()


def _texts(value: Any) -> Iterator[str]:
    """Yield every string and path in nested fields, tables and lists."""
    if isinstance(value, str | Path):
        yield str(value)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _texts(one)


def _parsed(path: Path) -> Any:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None  # whoever reads it says so
