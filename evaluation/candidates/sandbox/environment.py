"""Environment variables of a program, and the command that isolates it in namespaces."""

import os
import subprocess
import sys
from pathlib import Path

#: Environment variables that a program inherits.
KEPT = ("PATH", "NUMBA_CACHE_DIR", "SYSTEMROOT", "LD_LIBRARY_PATH")

#: One thread for each library: a sweep runs several programs at the same time.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def environment(folder: str) -> dict[str, str]:
    """Return the whole environment of a program; ``HOME`` is its own empty folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    paths = [str(Path(entry).resolve()) for entry in sys.path if entry != ""] + [str(_root())]
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **dict.fromkeys(THREADS, "1"),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": cache,
        "HOME": folder,
        "TMPDIR": folder,
        "LC_ALL": "C.UTF-8",
    }


def isolation_command() -> list[str]:
    """Return the command that runs a program in its own user, network and process namespaces.

    Raises
    ------
    RuntimeError
        If the system has no ``unshare``, or does not allow it.
    """
    command = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeError(f"isolate: unshare does not work here ({error})") from None
    return command


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
