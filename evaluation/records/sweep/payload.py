"""What a task needs on another machine: the user's files and podlab's code."""

import io
import os
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from evaluation.records.source_hash import PACKAGES, ROOT


def user_files(tasks: Iterable[Any]) -> list[str]:
    """Return the names of the files that the fields of tasks name, as the tasks write them.

    A name is a string or path of an existing file, with or without a suffix ``:attribute``. TOML
    files are searched, too: they may name further files.
    """
    files: set[str] = set()
    queue = [text for task in tasks for text in _texts(task)]
    seen = set(queue)
    while queue:
        name = file_of(queue.pop())
        if name is None or name in files:
            continue
        files.add(name)
        if name.endswith(".toml"):
            texts = [text for text in _texts(_parsed(Path(name))) if text not in seen]
            seen.update(texts)
            queue += texts
    return sorted(files)


def file_of(text: str) -> str | None:
    """Return the file that a text names; None if it names no existing file."""
    for name in (text, text.rpartition(":")[0]):
        # os.path.isfile raises for names that are too long or hold a null character.
        if name and len(name) < 1024 and "\0" not in name and os.path.isfile(name):
            return name
    return None


def code() -> bytes:
    """Return podlab as a ZIP file, with presets and samples."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, path.relative_to(ROOT))
    return content.getvalue()


def _texts(value: Any) -> Iterator[str]:
    """Yield every string and path in nested fields, tables and lists."""
    if isinstance(value, str | Path):
        yield str(value)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)


def _parsed(path: Path) -> Any:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None  # the task will report the damaged file
