"""What a stranger's program may use before it is stopped."""

import math
from dataclasses import dataclass, fields
from typing import Any

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Bounds of one program in a process of its own; all of them are ours.

    Parameters
    ----------
    call_s
        Seconds of wall time that one answer may take.
    total_s
        Seconds of wall time for all answers of one run together.
    start_s
        Seconds of wall time until the file is loaded.
    memory_bytes
        Private writable memory of each of its processes (RLIMIT_DATA).
    output_bytes
        What it may write to standard output and standard error together.
    file_bytes
        Largest file that it may write (RLIMIT_FSIZE).
    processes
        Processes that it may start beside itself, looked at ten times a second.
    isolate
        Run it under ``unshare`` in user, network and process namespaces of its own, where the
        system allows that: no network, and no process survives it.

    Raises
    ------
    ValueError
        If a bound is not a positive number.
    """

    call_s: float = 10.0
    total_s: float = 300.0
    start_s: float = 60.0
    memory_bytes: int = 4096 * MEBIBYTE
    output_bytes: int = MEBIBYTE
    file_bytes: int = 64 * MEBIBYTE
    processes: int = 64
    isolate: bool = False

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.name != "isolate":
                _check(one.name, getattr(self, one.name), whole=one.type is int)


def from_options(time_limit: float, memory_limit: float) -> Limits:
    """Return the limits that a command's options stand for.

    Parameters
    ----------
    time_limit
        Seconds for one answer; all of a run together may take thirty times as long.
    memory_limit
        MiB.

    Raises
    ------
    ValueError
        Naming the option that bounds nothing.
    """
    for option, value in (("--time-limit", time_limit), ("--memory-limit", memory_limit)):
        if not math.isfinite(value) or value <= 0:
            raise ValueError(f"{option} {value:g} is not a finite number > 0; give one")
    memory = math.ceil(memory_limit * MEBIBYTE)
    return Limits(call_s=time_limit, total_s=30 * time_limit, memory_bytes=memory)


def _check(name: str, value: Any, whole: bool) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} = {value!r} is not a finite number > 0; give one")
    if whole and value != int(value):
        raise ValueError(f"{name} = {value!r} is not whole; give {math.ceil(value)}")
