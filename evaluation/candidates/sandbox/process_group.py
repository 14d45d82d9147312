"""A program's process group: how many it has become, and the end of all of them."""

import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def members(group: int, most: int) -> int:
    """Return how many processes a group has, counted up to ``most``; 1 where there is no /proc.

    What has left the group by ``setsid`` is not seen; only a namespace of its own holds that.
    """
    found = 0
    try:
        names = os.listdir("/proc")
    except OSError:
        return 1
    for name in names:
        if not name.isdecimal() or int(name) < group:
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                after = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        found += len(after) > 2 and int(after[2]) == group
        if found >= most:
            break
    return max(found, 1)


def kill(popen: "subprocess.Popen[bytes]") -> None:
    """End a process and all of its group, and wait for it; nothing happens twice."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()
