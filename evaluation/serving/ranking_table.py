"""The table of schedulers: a pure function of records, stage by stage."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

#: Heading, score, factor and form.
COLUMNS = (
    ("goodput\ntok/s/chip", "goodput", 1.0, "{:.1f}"),
    ("keep the\nSLO", "share", 1.0, "{:.1%}"),
    ("TTFT p50\nms", "ttft_p50_s", 1e3, "{:.0f}"),
    ("TTFT p99\nms", "ttft_p99_s", 1e3, "{:.0f}"),
    ("TPOT p50\nms", "tpot_p50_s", 1e3, "{:.1f}"),
    ("TPOT p99\nms", "tpot_p99_s", 1e3, "{:.1f}"),
    ("DP load\nmax/mean", "dp_imbalance", 1.0, "{:.2f}"),
    ("barrier\nidle", "barrier_idle", 1.0, "{:.1%}"),
)

Row = tuple[str, dict[str, float]]


def rank(found: Iterable[dict[str, Any]]) -> tuple[dict[str, list[Row]], list[tuple[str, ...]]]:
    """Return by stage the schedulers and their means over scenarios, the best first, and failures.

    The most goodput comes first, then the lowest 99th percentile of TTFT. One that failed anywhere
    is not ranked.
    """
    runs: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in found:
        runs[record["stage"], record["solver"]].append(record)
    failures: list[tuple[str, ...]] = [
        (stage, name, record["scenario"]["id"], record["reason"])
        for (stage, name), mine in runs.items()
        for record in mine
        if record["status"] != "ok"
    ]
    failed = {failure[:2] for failure in failures}
    stages: dict[str, list[Row]] = defaultdict(list)
    for (stage, name), mine in runs.items():
        if (stage, name) not in failed:
            keys = mine[0]["scores"]
            means = {key: statistics.fmean(one["scores"][key] for one in mine) for key in keys}
            stages[stage].append((name, means))
    for rows in stages.values():
        rows.sort(key=lambda row: (-row[1]["goodput"], row[1]["ttft_p99_s"], row[0]))
    return dict(stages), failures


def render(found: list[dict[str, Any]], title: str, console: Console) -> bool:
    """Print the tables and what failed; return whether any scheduler was ranked."""
    stages, failures = rank(found)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
    table.add_column("\nstage", no_wrap=True)
    table.add_column("\nscheduler", no_wrap=True)
    for heading, *_ in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for stage, rows in stages.items():
        for place, (name, scores) in enumerate(rows):
            cells = [form.format(factor * scores[key]) for _, key, factor, form in COLUMNS]
            table.add_row("" if place else stage, name, *cells)
        table.add_section()
    if stages:
        console.print(table)
    for failure in failures:
        text = "failed: {} {} on {}: {}".format(*failure)
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    return bool(stages)
