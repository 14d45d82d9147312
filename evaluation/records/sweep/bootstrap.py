"""The first thing that a machine of a cluster runs: it sees to it that its podlab is the caller's.

These functions travel as code, for podlab need not be installed there; so they import the standard
library alone at first.
"""

import io
import os
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Manifest:
    """What a sweep needs where it runs.

    Parameters
    ----------
    packages
        Names of podlab's packages.
    code_hash
        Of podlab's code; see :func:`evaluation.records.source_hash.code_hash`.
    code
        Reference to that code as a ZIP file in the object store; None if it must be there.
    folder
        The caller's working folder, in which relative names of files are read.
    files
        SHA-256 of each file of the user's, and a reference to its content, or None, by name.
    time_limit_s
        Seconds that a task may take; None for any.
    """

    packages: tuple[str, ...]
    code_hash: str
    code: Any
    folder: str
    files: dict[str, tuple[str, Any]]
    time_limit_s: float | None


def attempt(manifest: Manifest, task: bytes) -> Any:
    """Run a pickled task once, with the caller's code and files; return its record or loss."""
    if not _is_code(manifest.code_hash):
        for name in [name for name in sys.modules if name.partition(".")[0] in manifest.packages]:
            del sys.modules[name]
        sys.path.insert(0, str(_unpacked(manifest)))
        if not _is_code(manifest.code_hash):
            raise RuntimeError(f"podlab of {sys.path[0]} is not that of the caller; delete it")
    from evaluation.records.sweep import node

    return node.attempt(manifest, task)


def place() -> Path:
    """Return this user's folder for what sweeps bring along, on this machine."""
    folder = Path(tempfile.gettempdir()) / f"podlab-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise RuntimeError(f"{folder} is another user's; delete it, or set TMPDIR")
    return folder


def _is_code(code_hash: str) -> bool:
    """Return whether the podlab that this process imports is the code of that hash."""
    try:
        from evaluation.records import source_hash
    except ImportError:
        return False
    return source_hash.code_hash() == code_hash


def _unpacked(manifest: Manifest) -> Path:
    """Return a folder with the code, unpacked once a machine: its compiled kernels stay too."""
    folder = place() / f"code-{manifest.code_hash[:16]}"
    if not folder.exists():
        if manifest.code is None:
            raise RuntimeError("podlab changed while a sweep ran; run it again")
        import ray

        partial = Path(tempfile.mkdtemp(dir=folder.parent))
        with zipfile.ZipFile(io.BytesIO(ray.get(manifest.code))) as archive:
            archive.extractall(partial)
        try:
            partial.rename(folder)
        except OSError:  # another process of this machine was first
            if not folder.exists():
                raise
    return folder
