"""The list of kernels that are compiled already, kept beside numba's cache of them."""

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import lb
from evaluation.records import record_file
from traces.atomic_file import atomic_write


class CompiledList:
    """Names of kernels that the code as it is has compiled on this machine.

    The list only says whether compiling is announced and shared out between processes: numba itself
    knows what it has to compile. A list of other code or of another Python is not read.
    """

    def __init__(self) -> None:
        import importlib.metadata

        versions = [platform.python_version(), importlib.metadata.version("numba")]
        self._key = "-".join([record_file.provenance()["source_hash"][:12], *versions])
        self._file = next((folder / "podlab-compiled.json" for folder in _folders()), None)

    @property
    def names(self) -> set[str]:
        """What is compiled."""
        if self._file is None or not any(self._file.parent.rglob("*.nbi")):
            return set()
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return set()
        return set(content["names"]) if content["key"] == self._key else set()

    def add(self, name: str) -> None:
        """Add a name; where no folder can be written to, nothing is kept."""
        if self._file is None:
            return
        names = sorted(self.names | {name})
        with atomic_write(self._file) as file:
            file.write(json.dumps({"key": self._key, "names": names}).encode())


def _folders() -> Iterator[Path]:
    """Yield the folders in which numba keeps machine code, the first that it would choose first."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        folders = [Path(chosen)]
    else:
        folders = [Path(lb.__file__).parent / "__pycache__", user / "numba"]
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            yield folder
