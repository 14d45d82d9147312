"""How far each candidate is from the best known, family by family."""

import statistics
from collections import defaultdict
from typing import Any

from evaluation.leaderboard.column import Column
from evaluation.report import record_select, theme
from evaluation.report.displays import display_of_all
from evaluation.report.panel import Panel, Record, Table, View

Gaps = dict[tuple[str, str], dict[str, float]]


def panel(records: list[Record]) -> Panel | None:
    """Return the mean gap to the best known of each candidate in each family of scenarios."""
    found = record_select.finished(records, "scores")
    if not found:
        return None
    primary = display_of_all(found).primary
    table = gaps(found, primary)
    if len(table) < 2:
        return None
    return Panel(
        "Gap to the best known",
        f"How much {primary.title} is short of the best that anybody here reached in the same "
        "scenario, the mean over the scenarios of a family. Left is better.",
        (_view(table),),
        wide=True,
    )


def gaps(records: list[Record], primary: Column) -> Gaps:
    """Return the gap, as a part of the best, by (candidate, variant) and family."""
    best: dict[tuple[str, str], float] = {}
    runs: dict[tuple[str, str], dict[tuple[str, str], list[Record]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for (scenario, variant), candidates in record_select.places(records).items():
        for candidate, mine in candidates.items():
            value = record_select.mean(mine, primary.key)
            if value is None:
                continue
            family = str(mine[0].get("family") or scenario)
            runs[candidate, variant][family, scenario] = mine
            better = max if primary.better >= 0 else min
            place = scenario, variant if primary.within_variant else ""
            best[place] = better(best.get(place, value), value)
    table: Gaps = {}
    for pair, by_scenario in runs.items():
        variant = pair[1] if primary.within_variant else ""
        short: dict[str, list[float]] = defaultdict(list)
        for (family, scenario), mine in by_scenario.items():
            value = record_select.mean(mine, primary.key)
            known = best.get((scenario, variant))
            if value is not None and known:
                short[family].append(abs(known - value) / abs(known))
        if short:
            table[pair] = {family: statistics.fmean(found) for family, found in short.items()}
    return table


def _view(table: Gaps) -> View:
    families = sorted({family for row in table.values() for family in row})
    whole = {pair: statistics.fmean(row.values()) for pair, row in table.items()}
    ordered = sorted(table, key=lambda pair: (whole[pair], pair))
    names = {pair: " · ".join(part for part in pair if part) for pair in ordered}
    data: list[dict[str, Any]] = []
    for number, family in enumerate(families):
        mine = [pair for pair in ordered if family in table[pair]]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "cliponaxis": False,
                "name": family,
                "x": theme.short(100 * table[pair][family] for pair in mine),
                "y": [names[pair] for pair in mine],
                "hovertemplate": "%{y}: %{x} %",
                "marker": {
                    "color": theme.COLOURS[number % len(theme.COLOURS)],
                    "symbol": theme.SYMBOLS[number % len(theme.SYMBOLS)],
                    "size": 10,
                    "opacity": 0.9,
                },
            }
        )
    figure = theme.figure(
        data,
        height=theme.rows_height(len(ordered)),
        xaxis={"title": {"text": "short of the best known, %"}, "rangemode": "tozero"},
        yaxis={
            "type": "category",
            "ticklabelstandoff": 8,
            "categoryorder": "array",
            "categoryarray": [names[pair] for pair in reversed(ordered)],
        },
    )
    first = ordered[0]
    summary = (
        f"{names[first]} is nearest to the best known, {whole[first]:.2%} short of it on average; "
        f"{names[ordered[-1]]} is furthest, {whole[ordered[-1]]:.2%}."
    )
    rows = tuple(
        (
            names[pair],
            f"{whole[pair]:.2%}",
            *(f"{table[pair][one]:.2%}" if one in table[pair] else "" for one in families),
        )
        for pair in ordered
    )
    return View("all", figure, summary, Table(("candidate", "mean", *families), rows))
