"""Distributions of time to first token and time per output token."""

from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View

#: List in a record, its abbreviation, and its name.
SHOWN = (
    ("ttft_s", "TTFT", "time to first token"),
    ("tpot_s", "TPOT", "time per output token"),
)
NAMED = (50, 90, 99)


def panel(records: list[Record]) -> Panel | None:
    """Return the share of requests served within a time, a line for each candidate."""
    views = []
    for scenario_variant, candidates in panel_data.by_scenario(
        panel_data.finished(records, "distribution")
    ).items():
        for key, short, words in SHOWN:
            lines = panel_data.lines(candidates, "distribution", key)
            if lines:
                views.append(_view(scenario_variant, short, words, lines))
    if not views:
        return None
    return Panel(
        "Latency of requests",
        "Share of the requests (up) whose time is at most that long (across, logarithmic). A curve "
        "further left is faster. Where two cross, one is better for most requests and the other "
        "for the tail.",
        tuple(views),
        wide=True,
    )


def _view(
    scenario_variant: panel_data.ScenarioVariant,
    short: str,
    words: str,
    lines: dict[str, list[float]],
) -> View:
    data: list[dict[str, Any]] = []
    for number, (name, values) in enumerate(lines.items()):
        last = len(values) - 1
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": theme.short(1e3 * value for value in values),
                "y": theme.short((at / last for at in range(last + 1)), 3),
                "line": {
                    "color": theme.COLOURS[number % len(theme.COLOURS)],
                    "dash": ("solid", "dash", "dot")[number // len(theme.COLOURS) % 3],
                },
                "hovertemplate": "%{fullData.name}: %{y} within %{x} ms<extra></extra>",
            }
        )
    figure = theme.figure(
        data,
        xaxis={"title": {"text": f"{words}, ms"}, "type": "log"},
        yaxis={"title": {"text": "share of requests"}, "tickformat": ".0%", "range": [0, 1.02]},
    )
    tail = {name: _percentile(values, 99) for name, values in lines.items()}
    best = min(tail, key=lambda name: tail[name])
    summary = (
        f"Curves of {len(lines)} candidates: {best} has the shortest 99th percentile of "
        f"{words}, {1e3 * tail[best]:,.1f} ms."
    )
    rows = tuple(
        (name, *(f"{1e3 * _percentile(values, share):,.1f}" for share in NAMED))
        for name, values in lines.items()
    )
    table = Table(("candidate", *(f"p{share} ms" for share in NAMED)), rows)
    name = " · ".join(part for part in (short, scenario_variant[1]) if part)
    return View(name, figure, summary, table, scenario_variant[0])


def _percentile(values: list[float], share: int) -> float:
    return values[round(share / 100 * (len(values) - 1))]
