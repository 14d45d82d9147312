"""The effects of faults, in words and as a table."""

from collections.abc import Mapping
from typing import Any

HEADINGS = (
    ("fault",),
    ("of",),
    ("at",),
    ("noticed", "after"),
    ("downtime",),
    ("dies", "lost"),
    ("back", "at"),
    ("recovery",),
)
NOTHING = "–"


def in_words(faults: Mapping[str, Any]) -> str:
    """Return a line: number of faults, downtime by executor, expert choices lost."""
    downtimes = [
        f"{name} {seconds:,.1f} s" for name, seconds in faults["stood_still_s"].items() if seconds
    ]
    words = f"faults     {len(faults['outages'])}; downtime: {', '.join(downtimes) or 'none'}"
    if faults["lost_expert_choices"]:
        words += f"; {faults['lost_expert_choices']:.3%} of expert choices not computed"
    return words


def rows(faults: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each fault that struck, cells as in :data:`HEADINGS`."""
    return [
        [
            failure["kind"],
            failure["executor"],
            f"{failure['failed_s']:,.1f} s",
            _span(failure["failed_s"], failure["detected_s"]),
            _span(failure["failed_s"], failure["resumed_s"]) if failure["executors"] else NOTHING,
            str(len(failure["lost_dies"])),
            NOTHING if failure["returns_s"] is None else f"{failure['returns_s']:,.1f} s",
            _recovery(failure),
        ]
        for failure in faults["outages"]
    ]


def _span(start_s: float, end_s: float | None) -> str:
    return "never" if end_s is None else f"{end_s - start_s:,.1f} s"


def _recovery(failure: Mapping[str, Any]) -> str:
    if failure["killed"]:
        return f"restart on the dies of {failure['killed']}"
    if failure["restart"]:
        return f"restart of {len(failure['executors'])}"
    if failure["lost_dies"]:
        return "without some experts" if failure["missing"] else "with fewer dies"
    return "one step again" if failure["rolled_back"] else NOTHING
