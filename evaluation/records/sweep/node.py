"""Run a task on a node of a cluster: in its own process, with the files that it names."""

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

from evaluation.records.sweep.bootstrap import Manifest, cache_folder
from evaluation.records.sweep.file_renaming import with_names, with_texts
from evaluation.records.sweep.task import LostTask, Record
from evaluation.records.sweep.worker import Worker
from evaluation.records.sweep.worker import attempt as attempt_in
from traces.atomic_file import atomic_write


@dataclass
class NodeWorker:
    """A worker process of one sweep, and the files that have other names on this node.

    Parameters
    ----------
    manifest
        The manifest of the sweep.
    renamed
        Name of a file on this node, by the caller's name.
    worker
        ``None`` before the first task, and after a loss.
    """

    manifest: Manifest
    renamed: dict[str, str]
    worker: Worker | None = None


#: The worker of this Ray process, for one sweep at a time: a list of one or none.
_workers: list[NodeWorker] = []


def attempt(manifest: Manifest, task: bytes) -> Record | LostTask:
    """Run a pickled task once. An exception of the task is not caught."""
    node_worker = _node_worker(manifest)
    if node_worker.worker is None:
        with _no_main_file():
            node_worker.worker = Worker(time_limit_s=manifest.time_limit_s)
    if node_worker.renamed:
        task = pickle.dumps(with_names(pickle.loads(task), node_worker.renamed))
    outcome = attempt_in(node_worker.worker, task)
    if isinstance(outcome, LostTask):
        node_worker.worker = None
        return outcome
    # The record must be the same as on the caller's machine: rename the files back.
    original = {node_name: name for name, node_name in node_worker.renamed.items()}
    return with_texts(outcome, original) if original else outcome


@contextlib.contextmanager
def _no_main_file() -> Iterator[None]:
    """Hide ``__main__.__file__`` while a process starts.

    A spawned process would run the main file again, which on a node is that of Ray's worker.
    """
    main = vars(sys.modules["__main__"])
    file = main.pop("__file__", None)
    try:
        yield
    finally:
        if file is not None:
            main["__file__"] = file


def _node_worker(manifest: Manifest) -> NodeWorker:
    """Return the worker of this process for a sweep, and end that of an earlier sweep."""
    if _workers and _workers[0].manifest != manifest:
        old = _workers.pop()
        if old.worker is not None:
            old.worker.stop()
    if not _workers:
        _workers.append(NodeWorker(manifest, _enter_folder(manifest)))
    return _workers[0]


def _enter_folder(manifest: Manifest) -> dict[str, str]:
    """Change to a folder with the caller's files, and return the files with other names in it.

    This is the caller's folder, if the node shares it. Otherwise it is a copy. Files inside the
    caller's folder keep their relative names in the copy. Files outside of it get new names.
    """
    shared = Path(manifest.folder)
    digests = {name: digest for name, (digest, _) in manifest.files.items()}
    if shared.is_dir() and all(_digest(shared / name) == digests[name] for name in digests):
        os.chdir(shared)
        return {}
    # The hash of all names and contents names the copy, so that later sweeps reuse it.
    key = hashlib.sha256(repr((manifest.folder, sorted(digests.items()))).encode()).hexdigest()
    copy = cache_folder() / f"files-{key[:16]}"
    copy.mkdir(exist_ok=True)
    renamed: dict[str, str] = {}
    for name, (digest, content) in manifest.files.items():
        path = copy / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            path = copy / "outside" / digest[:16] / Path(name).name
            renamed[name] = str(path)
        if _digest(path) != digest:
            _fetch(path, name, content)
    os.chdir(copy)
    return renamed


def _fetch(path: Path, name: str, content: Any) -> None:
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
    """Return the SHA-256 of a file, cached by size and time of change; None without a file."""
    if not path.is_file():
        return None
    stat = path.stat()
    return _digest_of(path, stat.st_size, stat.st_mtime_ns)
