"""Pack records, solver files and environment into a deterministic zip file."""

import hashlib
import json
import platform
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from evaluation.records import record_file
from evaluation.records.submission.layout import CONTENTS, FORMAT, PACKAGES, RECORD, SOLVER
from traces.atomic_file import atomic_write

#: The earliest date of a zip. A constant date keeps the file deterministic.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, out: Path, solvers: Iterable[Path] = ()) -> dict[str, Any]:
    """Write a submission, whole or not at all, and return its table of contents.

    Equal records, files and environments give equal bytes.

    Parameters
    ----------
    folder
        Folder of records, as ``podlab bench`` writes it.
    out
        The file to write.
    solvers
        Solver files. Every record of a solver from a file needs exactly this file.

    Raises
    ------
    ValueError
        If there are no records, a record is unreadable or has an invalid name, a solver file is
        missing, or no record was made with a given file.
    """
    paths = {f"records/{path.relative_to(folder).as_posix()}": path for path in _records(folder)}
    if not paths:
        raise ValueError(f"{folder} holds no records; run podlab bench --out {folder} first")
    files = {name: path.read_bytes() for name, path in paths.items()}
    for name, path in paths.items():
        if not RECORD.fullmatch(name):
            raise ValueError(f"{path}: a record's name has letters, digits and . _ + - only")
    used = {
        record["solver_file"]: str(record.get("solver"))
        for record in map(record_file.read, paths.values())
        if record.get("solver_file")
    }
    files |= _solvers(used, solvers)
    contents = {
        "format": FORMAT,
        **record_file.provenance(),
        "packages": _packages(),
        "files": {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())},
    }
    files[CONTENTS] = (json.dumps(contents, indent=1, sort_keys=True) + "\n").encode()
    _write(files, out)
    return contents


def _records(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    return record_file.paths(folder)


def _solvers(used: dict[str, str], paths: Iterable[Path]) -> dict[str, bytes]:
    """Return the used solver files by their names in the submission."""
    files, missing = {}, dict(used)
    for path in paths:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise ValueError(f"--solver {path}: {error.strerror}") from None
        digest = hashlib.sha256(raw).hexdigest()
        if digest not in used:
            raise ValueError(
                f"--solver {path}: no record was made with this file as it is now "
                f"(SHA-256 {digest[:12]}…); run podlab bench again, or leave it out"
            )
        missing.pop(digest, None)
        name = f"solvers/{digest[:12]}/{path.name}"
        if not SOLVER.fullmatch(name):
            raise ValueError(f"--solver {path}: its name has letters, digits and . _ + - only")
        files[name] = raw
    if missing:
        digest, solver = next(iter(missing.items()))
        raise ValueError(
            f"solver {solver!r} comes from a file (SHA-256 {digest[:12]}…); give it by --solver "
            "PATH, so that others can run it"
        )
    return files


def _packages() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _write(files: dict[str, bytes], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as file, zipfile.ZipFile(file, "w") as archive:
        for name, raw in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            # Constants, as the defaults depend on the system: Unix, and a file that all can read.
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, raw, zipfile.ZIP_DEFLATED, 9)
