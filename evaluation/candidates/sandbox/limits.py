"""Limits of an untrusted program."""

import math
from dataclasses import dataclass, fields
from typing import Any

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits of one program in its own process. All values are our choice.

    Parameters
    ----------
    call_s
        Wall time of one call, seconds.
    total_s
        Wall time of all calls of one run together, seconds.
    start_s
        Wall time until the file is loaded, seconds.
    memory_bytes
        Private writable memory of each of its processes (RLIMIT_DATA).
    output_bytes
        Bytes written to standard output and standard error together.
    file_bytes
        Size of the largest file that it may write (RLIMIT_FSIZE).
    processes
        Processes that it may start, counted ten times a second.
    isolate
        Run it under ``unshare`` in its own user, network and process namespaces, if the system
        allows it: the program has no network, and no child process survives it.

    Raises
    ------
    ValueError
        If a limit is not a positive number.
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
        for limit in fields(self):
            if limit.name != "isolate":
                _check(limit.name, getattr(self, limit.name), whole=limit.type is int)


def from_options(time_limit: float, memory_limit: float) -> Limits:
    """Return the limits of the options ``--time-limit`` and ``--memory-limit``.

    Parameters
    ----------
    time_limit
        Seconds for one call. All calls of a run together may take thirty times as long.
    memory_limit
        Memory in MiB.

    Raises
    ------
    ValueError
        Naming the option, if its value is not a finite number above 0.
    """
    for option, value in (("--time-limit", time_limit), ("--memory-limit", memory_limit)):
        if not math.isfinite(value) or value <= 0:
            raise ValueError(f"{option} {value:g} is not a finite number > 0; give one")
    memory = math.ceil(memory_limit * MEBIBYTE)
    return Limits(call_s=time_limit, total_s=30 * time_limit, memory_bytes=memory)


def _check(name: str, value: Any, whole: bool) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} = {value!r} is not a finite number > 0; give one")
    if whole and value != int(value):
        raise ValueError(f"{name} = {value!r} is not whole; give {math.ceil(value)}")
