"""How far each candidate is from the best known, family by family."""

import statistics
from collections import defaultdict
from typing import Any

from evaluation.leaderboard.column import Column
from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View
from evaluation.report.record_display import display_of_all

Gaps = dict[tuple[str, str], dict[str, float]]


def panel(records: list[Record]) -> Panel | None:
    """Return the mean gap to the best known of each candidate in each family of scenarios."""
    scored = panel_data.finished(records, "scores")
    if not scored:
        return None
    primary = display_of_all(scored).primary
    table = gaps(scored, primary)
    if len(table) < 2:
        return None
    return Panel(
        "Gap to the best known",
        f"Distance of {primary.title} to the best of these records in the same scenario, mean over "
        "the scenarios of a family. Left is better.",
        (_view(table),),
        wide=True,
    )


def gaps(records: list[Record], primary: Column) -> Gaps:
    """Return the gap, as a share of the best, by (candidate, variant) and family."""
    means = _means(records, primary)
    better = max if primary.better >= 0 else min
    best: dict[tuple[str, str], float] = {}
    for (_, variant), by_scenario in means.items():
        for (_, scenario), value in by_scenario.items():
            key = scenario, variant if primary.within_variant else ""
            best[key] = better(best.get(key, value), value)
    table: Gaps = {}
    for (candidate, variant), by_scenario in means.items():
        by_family: dict[str, list[float]] = defaultdict(list)
        for (family, scenario), value in by_scenario.items():
            if known := best[scenario, variant if primary.within_variant else ""]:
                by_family[family].append(abs(known - value) / abs(known))
        if by_family:
            row = {family: statistics.fmean(values) for family, values in by_family.items()}
            table[candidate, variant] = row
    return table


def _means(
    records: list[Record], primary: Column
) -> dict[tuple[str, str], dict[tuple[str, str], float]]:
    """Return mean scores by (candidate, variant), and there by (family, scenario)."""
    means: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(dict)
    for (scenario, variant), candidates in panel_data.by_scenario(records).items():
        for candidate, runs in candidates.items():
            value = panel_data.mean(runs, primary.key)
            if value is not None:
                family = str(runs[0].get("family") or scenario)
                means[candidate, variant][family, scenario] = value
    return means


def _view(table: Gaps) -> View:
    families = sorted({family for row in table.values() for family in row})
    mean = {pair: statistics.fmean(row.values()) for pair, row in table.items()}
    ordered = sorted(table, key=lambda pair: (mean[pair], pair))
    names = {pair: " · ".join(part for part in pair if part) for pair in ordered}
    traces = [_family_trace(number, family, table, names) for number, family in enumerate(families)]
    figure = theme.figure(
        traces,
        height=theme.rows_height(len(ordered)),
        xaxis={"title": {"text": "gap to the best known, %"}, "rangemode": "tozero"},
        yaxis={
            "type": "category",
            "ticklabelstandoff": 8,
            "categoryorder": "array",
            "categoryarray": [names[pair] for pair in reversed(ordered)],
        },
    )
    first, last = ordered[0], ordered[-1]
    summary = (
        f"{names[first]} is nearest to the best known, with a mean gap of {mean[first]:.2%}; "
        f"{names[last]} is furthest, with {mean[last]:.2%}."
    )
    rows = tuple(
        (
            names[pair],
            f"{mean[pair]:.2%}",
            *(f"{table[pair][family]:.2%}" if family in table[pair] else "" for family in families),
        )
        for pair in ordered
    )
    return View("all", figure, summary, Table(("candidate", "mean", *families), rows))


def _family_trace(
    number: int, family: str, table: Gaps, names: dict[tuple[str, str], str]
) -> dict[str, Any]:
    """Return the points of one family of scenarios, in a colour and symbol of its own."""
    pairs = [pair for pair in names if family in table[pair]]
    return {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,
        "name": family,
        "x": theme.short(100 * table[pair][family] for pair in pairs),
        "y": [names[pair] for pair in pairs],
        "hovertemplate": "%{y}: %{x} %",
        "marker": {
            "color": theme.COLOURS[number % len(theme.COLOURS)],
            "symbol": theme.SYMBOLS[number % len(theme.SYMBOLS)],
            "size": 10,
            "opacity": 0.9,
        },
    }
