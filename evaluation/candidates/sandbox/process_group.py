"""The process group of a program: count its processes and end them."""

import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def count_members(group: int, most: int) -> int:
    """Return the number of processes of a group, counted up to ``most``; 1 without /proc.

    A process that has left the group by ``setsid`` is not counted. Only its own process namespace
    (``isolate``) contains it.
    """
    count = 0
    try:
        names = os.listdir("/proc")
    except OSError:
        return 1
    for name in names:
        # Skip older processes: the group's id is that of its leader, which started first.
        if not name.isdecimal() or int(name) < group:
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The fields after the command, which is in parentheses: state, parent, group.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # the process has ended meanwhile
        count += len(fields) > 2 and int(fields[2]) == group
        if count >= most:
            break
    return max(count, 1)


def kill(popen: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its group, and wait for it. A second call does nothing."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()
