"""Tables of schedulers, stage by stage, from records."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.leaderboard import Ranking, rank_stages
from evaluation.leaderboard.measures import measure_of
from evaluation.leaderboard.stages import scenarios, unranked

#: Heading, scores, factor and form.
Column = tuple[str, tuple[str, ...], float, str]
SERVING: tuple[Column, ...] = (
    ("goodput\ntok/s/chip", ("goodput",), 1.0, "{:.1f}"),
    ("keep the\nSLO", ("share",), 1.0, "{:.1%}"),
    ("TTFT ms\np50 / p99", ("ttft_p50_s", "ttft_p99_s"), 1e3, "{:.0f} / {:.0f}"),
    ("TPOT ms\np50 / p99", ("tpot_p50_s", "tpot_p99_s"), 1e3, "{:.1f} / {:.1f}"),
    ("DP load\nmax/mean", ("dp_imbalance",), 1.0, "{:.2f}"),
    ("barrier\nidle", ("barrier_idle",), 1.0, "{:.1%}"),
)
FAULTS: tuple[Column, ...] = (
    *SERVING[:3],
    ("computed again\ntokens", ("recomputed_tokens",), 1.0, "{:.0f}"),
    ("to recover\ns", ("recovery_s",), 1.0, "{:.1f}"),
)
#: Over several scenarios only these are alike enough for a mean.
ALIKE = {"share", "dp_imbalance", "barrier_idle", "recomputed_tokens", "recovery_s"}
#: Columns of a terminal that show all of it.
WIDTH = 126


def render(found: list[dict[str, Any]], title: str, console: Console) -> bool:
    """Print the table and what is not ranked; return whether any scheduler was ranked.

    Latencies and goodput itself are shown where all records of a stage are of one scenario, as mean
    over its seeds; else only what can be averaged over scenarios is.
    """
    rankings = rank_stages(found, measure_of(found))
    faults = any(record["kind"] == "faults" for record in found)
    several = any(len(scenarios(one)) > 1 for one in rankings.values())
    columns = [
        column
        for column in (FAULTS if faults else SERVING)
        if set(column[1]) <= ALIKE or not several
    ]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
    table.add_column("\nstage", no_wrap=True)
    table.add_column("\nrank", justify="right", no_wrap=True)
    table.add_column("\nscheduler", no_wrap=True)
    table.add_column("goodput ×\nreference", justify="right", no_wrap=True)
    table.add_column("\n95 %", justify="right", no_wrap=True)
    if several:
        table.add_column("\nscenarios", justify="right", no_wrap=True)
    for heading, *_ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for stage, ranking in rankings.items():
        _add(table, stage, ranking, columns, several)
    if any(ranking.rows for ranking in rankings.values()):
        console.print(table)
    for stage, ranking in rankings.items():
        for name, reason in unranked(ranking):
            text = f"not ranked: {stage} {name}: {reason}"
            console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    return any(ranking.rows for ranking in rankings.values())


def _add(
    table: Table, stage: str, ranking: Ranking, columns: Sequence[Column], several: bool
) -> None:
    for place, row in enumerate(ranking.rows):
        own = row.name == ranking.reference
        interval = "reference" if own else _interval(row.interval)
        cells = ["" if place else stage, str(row.rank), row.name, f"{row.score:.3f}", interval]
        cells += [str(len(scenarios(ranking)))] if several else []
        for _, keys, factor, form in columns:
            known = [factor * value for key in keys if (value := row.scores.get(key)) is not None]
            cells.append(form.format(*known) if len(known) == len(keys) else "–")
        table.add_row(*cells)
    table.add_section()


def _interval(ends: tuple[float, float] | None) -> str:
    """Return the text of an interval; a scenario with a single seed gives none."""
    return "one seed" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
