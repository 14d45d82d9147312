"""Name and memory of the CPU, from the operating system."""

import os
import platform
from pathlib import Path

#: Where a container finds its own limits (control groups, version 2).
CONTROL_GROUP = Path("/sys/fs/cgroup")


def cpu_name() -> str:
    """Return the model of the CPU, or its architecture where the system does not say more."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def total_memory_bytes() -> int:
    """Return all memory in bytes, or the limit of the container if that is lower."""
    return _memory_bytes("SC_PHYS_PAGES")


def free_memory_bytes() -> int:
    """Return the free memory in bytes, at most what the container may still take.

    Where the system does not tell what is free, a quarter of all is taken to be.
    """
    return _memory_bytes("SC_AVPHYS_PAGES")


def _memory_bytes(pages: str) -> int:
    known = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in known:
        raise ValueError("device = 'cpu': this system does not tell its memory; use another device")
    share = 1 if pages in known else 4
    count = os.sysconf(pages if pages in known else "SC_PHYS_PAGES")
    size = count * os.sysconf("SC_PAGE_SIZE") // share
    free = pages == "SC_AVPHYS_PAGES"
    try:
        limit = int((CONTROL_GROUP / "memory.max").read_text())
        used = int((CONTROL_GROUP / "memory.current").read_text()) if free else 0
    except (OSError, ValueError):  # no such group, or its limit is the word "max"
        return size
    return min(size, max(limit - used, 0))
