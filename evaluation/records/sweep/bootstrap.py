"""Bootstrap of a Ray node: make it run the caller's version of podlab.

A node need not have podlab, or may have another version. So Ray pickles these functions by value,
and they import only the standard library until the caller's code is on ``sys.path``.
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
    """What a node needs to run the tasks of a sweep.

    Parameters
    ----------
    packages
        Names of podlab's packages.
    code_hash
        Hash of the caller's podlab; see :func:`evaluation.records.source_hash.code_hash`.
    code
        Reference to that code as a ZIP file in the object store; ``None`` if the node has it.
    folder
        The caller's working folder. Relative file names are relative to it.
    files
        SHA-256 of each user file and a reference to its content, or ``None``, by name.
    time_limit_s
        Time limit of a task in seconds; ``None``: no limit.
    """

    packages: tuple[str, ...]
    code_hash: str
    code: Any
    folder: str
    files: dict[str, tuple[str, Any]]
    time_limit_s: float | None


def attempt(manifest: Manifest, task: bytes) -> Any:
    """Run a pickled task once with the caller's code and files; return its record or loss."""
    # The node's own podlab is another version: forget its modules, and import the caller's.
    if not _is_code(manifest.code_hash):
        for name in [name for name in sys.modules if name.partition(".")[0] in manifest.packages]:
            del sys.modules[name]
        sys.path.insert(0, str(_unpacked(manifest)))
        if not _is_code(manifest.code_hash):
            raise RuntimeError(f"{sys.path[0]} holds another podlab than the caller's; delete it")
    # Imported only now: it needs podlab.
    from evaluation.records.sweep import node

    return node.attempt(manifest, task)


def cache_folder() -> Path:
    """Return this user's folder on this machine for code and files of sweeps."""
    folder = Path(tempfile.gettempdir()) / f"podlab-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        # /tmp is shared: code from a folder of another user is never run.
        raise RuntimeError(f"{folder} belongs to another user; delete it, or set TMPDIR")
    return folder


def _is_code(code_hash: str) -> bool:
    """Return whether this process imports a podlab with this hash."""
    try:
        from evaluation.records import source_hash
    except ImportError:
        return False
    return source_hash.code_hash() == code_hash


def _unpacked(manifest: Manifest) -> Path:
    """Return the folder of the code, unpacked once per machine; compiled kernels stay in it."""
    folder = cache_folder() / f"code-{manifest.code_hash[:16]}"
    if not folder.exists():
        if manifest.code is None:
            raise RuntimeError("podlab changed while a sweep ran; run it again")
        import ray

        # Unpack next to it and rename, so that other processes see a whole folder or none.
        partial = Path(tempfile.mkdtemp(dir=folder.parent))
        with zipfile.ZipFile(io.BytesIO(ray.get(manifest.code))) as archive:
            archive.extractall(partial)
        try:
            partial.rename(folder)
        except OSError:  # another process of this machine was first
            if not folder.exists():
                raise
    return folder
