"""What faults did, in words and as a table."""

from collections.abc import Mapping
from typing import Any

HEADINGS = (
    ("fault",),
    ("of",),
    ("at",),
    ("noticed", "after"),
    ("stood still", "for"),
    ("dies", "lost"),
    ("back", "at"),
    ("recovery",),
)
NOTHING = "–"


def in_words(faults: Mapping[str, Any]) -> str:
    """Return a line: how many faults, how long what stood still, expert choices lost."""
    still = [
        f"{name} {seconds:,.1f} s" for name, seconds in faults["stood_still_s"].items() if seconds
    ]
    words = f"faults     {len(faults['outages'])}; stood still: {', '.join(still) or 'none'}"
    if faults["lost_expert_choices"]:
        words += f"; {faults['lost_expert_choices']:.3%} of expert choices not computed"
    return words


def rows(faults: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each outage, cells as in :data:`HEADINGS`."""
    return [
        [
            one["kind"],
            one["executor"],
            f"{one['failed_s']:,.1f} s",
            _span(one["failed_s"], one["detected_s"]),
            _span(one["failed_s"], one["resumed_s"]) if one["executors"] else NOTHING,
            str(len(one["lost_dies"])),
            NOTHING if one["returns_s"] is None else f"{one['returns_s']:,.1f} s",
            _recovery(one),
        ]
        for one in faults["outages"]
    ]


def _span(start_s: float, end_s: float | None) -> str:
    return "never" if end_s is None else f"{end_s - start_s:,.1f} s"


def _recovery(outage: Mapping[str, Any]) -> str:
    if outage["killed"]:
        return f"restart on the dies of {outage['killed']}"
    if outage["restart"]:
        return f"restart of {len(outage['executors'])}"
    if outage["lost_dies"]:
        return "without some experts" if outage["missing"] else "with fewer dies"
    return "one step again" if outage["rolled_back"] else NOTHING
