"""Read an untrusted submission in memory: nothing is extracted, everything is checked."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.records.submission import layout


@dataclass(frozen=True)
class Submission:
    """The content of a submission.

    Parameters
    ----------
    contents
        Its table of contents: format, provenance of the packing host, packages, and hashes.
    records
        Records by their names in the file, sorted.
    solvers
        Name and bytes of each solver file, by its SHA-256.
    """

    contents: dict[str, Any]
    records: dict[str, dict[str, Any]]
    solvers: dict[str, tuple[str, bytes]]


def unpack(path: Path) -> Submission:
    """Return the content of a submission.

    Raises
    ------
    ValueError
        If the file is no submission, exceeds a limit when unpacked, or holds a file with a name
        that is not allowed, for example outside its folder; if a hash is wrong.
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
        records = {
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
    return Submission(contents, records, solvers)


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > layout.MOST_FILES:
        raise ValueError(f"{len(entries)} files > {layout.MOST_FILES}")
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        name = entry.filename
        if not layout.is_known(name):
            raise ValueError(f"holds {name[:80]!r}, which no submission may hold")
        if name in files:
            raise ValueError(f"holds {name!r} twice")
        # The size in the header of an entry may be false: a zip bomb. Read at most the limit.
        with archive.open(entry) as file:
            raw = file.read(layout.MOST_FILE_BYTES + 1)
        total += len(raw)
        if len(raw) > layout.MOST_FILE_BYTES or total > layout.MOST_BYTES:
            raise ValueError(
                f"{name!r} unpacks to more than {layout.MOST_FILE_BYTES} bytes, or all files to "
                f"more than {layout.MOST_BYTES}"
            )
        files[name] = raw
    return files


def _object(raw: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name!r} is no JSON ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{name!r} is no JSON object")
    return content


def _check_hashes(files: dict[str, bytes], hashes: Any) -> None:
    if not isinstance(hashes, dict) or set(hashes) != set(files):
        raise ValueError("its table of contents names other files than it holds")
    for name, raw in files.items():
        if hashlib.sha256(raw).hexdigest() != hashes[name]:
            raise ValueError(f"{name!r} has another SHA-256 than its table of contents says")
