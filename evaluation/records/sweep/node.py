"""A task on a machine of a cluster: in a process of its own, among the files that it names."""

import contextlib
import hashlib
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from evaluation.records.sweep.bootstrap import Manifest, place
from evaluation.records.sweep.file_renaming import with_names, with_texts
from evaluation.records.sweep.task import Lost, Record
from evaluation.records.sweep.worker import Worker
from evaluation.records.sweep.worker import attempt as attempt_in
from traces.atomic_file import atomic_write


@dataclass
class Seat:
    """A worker process in its folder, and files that have another name there.

    Parameters
    ----------
    manifest
        What it was made for.
    renamed
        Name of a file here, by the caller's name.
    worker
        None before its first task, and after a loss.
    """

    manifest: Manifest
    renamed: dict[str, str]
    worker: Worker | None = None


_seats: list[Seat] = []


def attempt(manifest: Manifest, task: bytes) -> Record | Lost:
    """Run a pickled task once; whatever it raises goes through."""
    seat = _seat(manifest)
    if seat.worker is None:
        with _no_main_file():
            seat.worker = Worker(time_limit_s=manifest.time_limit_s)
    if seat.renamed:
        task = pickle.dumps(with_names(pickle.loads(task), seat.renamed))
    found = attempt_in(seat.worker, task)
    if isinstance(found, Lost):
        seat.worker = None
        return found
    back = {here: name for name, here in seat.renamed.items()}
    return with_texts(found, back) if back else found


@contextlib.contextmanager
def _no_main_file() -> Iterator[None]:
    """Let a process start without that it runs the main file, which is Ray's own here, again."""
    main = vars(sys.modules["__main__"])
    file = main.pop("__file__", None)
    try:
        yield
    finally:
        if file is not None:
            main["__file__"] = file


def _seat(manifest: Manifest) -> Seat:
    """Return the seat of this process for a sweep, and give up that of an earlier one."""
    if _seats and _seats[0].manifest != manifest:
        old = _seats.pop()
        if old.worker is not None:
            old.worker.leave()
    if not _seats:
        _seats.append(Seat(manifest, _settle(manifest)))
    return _seats[0]


def _settle(manifest: Manifest) -> dict[str, str]:
    """Go to a folder in which the files are what they are to the caller.

    That is the caller's own where it is shared or this very machine. Elsewhere it is a copy: the
    files of the folder under their own names, those from outside under the names returned.
    """
    own = Path(manifest.folder)
    contents = {name: digest for name, (digest, _) in manifest.files.items()}
    if own.is_dir() and all(_digest(own / name) == contents[name] for name in contents):
        os.chdir(own)
        return {}
    key = hashlib.sha256(repr((manifest.folder, sorted(contents.items()))).encode()).hexdigest()
    copy = place() / f"files-{key[:16]}"
    copy.mkdir(exist_ok=True)
    renamed: dict[str, str] = {}
    for name, (digest, content) in manifest.files.items():
        path = copy / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            path = copy / "outside" / digest[:16] / Path(name).name
            renamed[name] = str(path)
        if _digest(path) != digest:
            _bring(path, name, content)
    os.chdir(copy)
    return renamed


def _bring(path: Path, name: str, content: Any) -> None:
    """Write a file from the object store."""
    if content is None:
        raise ValueError(f"{name} changed while the sweep ran; run it again")
    import ray

    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(ray.get(content).data)


@lru_cache
def _digest_of(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None if it is not there."""
    if not path.is_file():
        return None
    stat = path.stat()
    return _digest_of(path, stat.st_size, stat.st_mtime_ns)
