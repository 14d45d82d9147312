"""What a program is started with: a bare environment, and namespaces of its own where asked for."""

import os
import subprocess
import sys
from pathlib import Path

#: What a program keeps of our environment.
KEPT = ("PATH", "NUMBA_CACHE_DIR", "SYSTEMROOT", "LD_LIBRARY_PATH")

#: One thread each: a laboratory runs several programs beside one another.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def environment(folder: str) -> dict[str, str]:
    """Return a program's whole environment; its home is its own empty folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    paths = [str(Path(one).resolve()) for one in sys.path if one != ""] + [str(_root())]
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


def apart() -> list[str]:
    """Return the command under which a program has its own users, network and processes.

    Raises
    ------
    RuntimeError
        If the system has no ``unshare`` or does not allow it.
    """
    command = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeError(f"isolate: unshare does not work here ({error})") from None
    return command


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
