"""Read a stranger's submission in memory: nothing is extracted, nothing is believed."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.records.submission import layout


@dataclass(frozen=True)
class Submission:
    """What a submission holds.

    Parameters
    ----------
    contents
        Its table of contents: format, provenance of who packed it, packages, and hashes.
    records
        Record by its name in the file, sorted.
    solvers
        A solver's file by its SHA-256: its name and its bytes.
    """

    contents: dict[str, Any]
    records: dict[str, dict[str, Any]]
    solvers: dict[str, tuple[str, bytes]]


def unpack(path: Path) -> Submission:
    """Return what a submission holds.

    Raises
    ------
    ValueError
        If it is no submission, is larger unpacked than one may be, holds a file that none may hold
        (one that would land elsewhere, say), or a file is not what its table of contents says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = _files(archive)
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path}: not a readable zip ({error})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        contents = _object(files.pop(layout.CONTENTS, b"null"), layout.CONTENTS)
        if contents.get("format") != layout.FORMAT:
            raise ValueError(
                f"format {contents.get('format')!r}; this podlab reads {layout.FORMAT}"
            )
        _check_hashes(files, contents.get("files"))
        found = {
            name: _object(raw, name)
            for name, raw in sorted(files.items())
            if name.startswith("records/")
        }
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    solvers = {
        hashlib.sha256(raw).hexdigest(): (name.rpartition("/")[2], raw)
        for name, raw in files.items()
        if name.startswith("solvers/")
    }
    return Submission(contents, found, solvers)


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > layout.MOST_FILES:
        raise ValueError(f"{len(entries)} files > {layout.MOST_FILES}")
    found: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        name = entry.filename
        if not layout.is_known(name):
            raise ValueError(f"holds {name[:80]!r}, which no submission may hold")
        if name in found:
            raise ValueError(f"holds {name!r} twice")
        # what an entry says of its size need not be so
        with archive.open(entry) as file:
            raw = file.read(layout.MOST_FILE_BYTES + 1)
        total += len(raw)
        if len(raw) > layout.MOST_FILE_BYTES or total > layout.MOST_BYTES:
            raise ValueError(
                f"{name!r} unpacks to more than {layout.MOST_FILE_BYTES} bytes, or all files to "
                f"more than {layout.MOST_BYTES}"
            )
        found[name] = raw
    return found


def _object(raw: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name!r} is no JSON ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{name!r} is no JSON object")
    return content


def _check_hashes(files: dict[str, bytes], said: Any) -> None:
    if not isinstance(said, dict) or set(said) != set(files):
        raise ValueError("its table of contents names other files than it holds")
    for name, raw in files.items():
        if hashlib.sha256(raw).hexdigest() != said[name]:
            raise ValueError(f"{name!r} has another SHA-256 than its table of contents says")
