"""Records: one JSON file for each finished run, written whole or not at all."""

import functools
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import lb
from evaluation.candidates.sandbox.program_error import ProgramError
from evaluation.records.source_hash import ROOT, score_hash
from traces.atomic_file import atomic_write

#: Schema 2 added kind, family, windows, rank load, breakdown, links and cost.
SCHEMA = 2


def new_record(**fields: Any) -> dict[str, Any]:
    """Return a new record with schema, provenance, date and the given fields."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"schema": SCHEMA, **provenance(), "date": date, **fields}


def failure(error: BaseException) -> dict[str, str]:
    """Return status and reason of a run without scores.

    "infeasible" means that the answer could not be loaded, "failed" any other error.
    """
    if isinstance(error, lb.Infeasible):
        return {"status": "infeasible", "reason": str(error)}
    if isinstance(error, ProgramError):
        return {"status": "failed", "reason": str(error)}
    return {"status": "failed", "reason": f"{type(error).__name__}: {error}"}


def process_failure(reason: str) -> dict[str, str]:
    """Return status and reason of a run whose process died or was ended."""
    return {"status": "failed", "reason": reason}


def path_of(folder: Path, suite: str, name: str, identity: Mapping[str, Any]) -> Path:
    """Return the file of a record: in the folder of its suite, by name and hash of its identity."""
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return folder / suite / f"{name}--{digest}.json"


def user_file_hash(name: str) -> str | None:
    """Return the SHA-256 of a user's preset or recording; None for a bundled one."""
    path = Path(name)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def readable_part(path: Path) -> str:
    """Return the name of a record file without the hash that ``path_of`` appends."""
    return path.stem.rpartition("--")[0]


def write(record: dict[str, Any], path: Path) -> None:
    """Write ``record``, whole or not at all. It is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _text(record)
    with atomic_write(path, "w") as file:
        file.write(text)


def _text(record: dict[str, Any]) -> str:
    """Return JSON with one line per field, easy to compare: not one line per number."""
    fields = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    return "{\n" + ",\n".join(fields) + "\n}\n"


def read(path: Path) -> dict[str, Any]:
    """Return a record.

    Raises
    ------
    ValueError
        Naming the file, if it is no record, or of a schema that this podlab does not read. Records
        of schema 1 have no windows, so that no interval can be computed from them.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a readable record ({error}); delete it") from None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        schema = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise ValueError(f"{path}: record schema {schema!r}; this podlab reads {SCHEMA}; delete it")
    return record


def read_all(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield every record below ``folder``, in the order of the paths."""
    for path in paths(folder):
        yield read(path)


def paths(folder: Path) -> list[Path]:
    """Return the record files below ``folder``. A hidden file is one that is being written."""
    return sorted(path for path in folder.rglob("*.json") if not path.name.startswith("."))


@functools.cache
def provenance() -> dict[str, Any]:
    """Return the provenance of a record: version, commit and source hash of podlab, and the host.

    The source hash covers the code and the presets that scores depend on, so that a record is
    reused exactly as long as its scores are valid.
    """
    return {
        "podlab": _version("podlab"),
        "commit": _commit(),
        "source_hash": score_hash(),
        "host": {
            "machine": platform.machine(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": _version("numpy"),
            "numba": _version("numba"),
        },
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit of podlab's checkout; None if podlab does not run from one."""
    if not (ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
