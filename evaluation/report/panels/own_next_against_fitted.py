"""One candidate's promises and what came of them, scenario by scenario."""

from typing import Any

from evaluation.report import record_select, theme
from evaluation.report.panel import Panel, Record, Table, View
from evaluation.report.panels.next_against_fitted import FITTED, NEXT


def panel(records: list[Record]) -> Panel | None:
    """Return fitted and next balancedness of one candidate, a line a scenario."""
    rows: list[tuple[str, float, float]] = []
    for place, mine in record_select.places(record_select.finished(records, "scores")).items():
        alike = [record for found in mine.values() for record in found]
        fitted, following = (record_select.mean(alike, key) for key in (FITTED, NEXT))
        if fitted is not None and following is not None:
            rows.append((" · ".join(part for part in place if part), fitted, following))
    if not rows:
        return None
    across: list[float | None] = []
    for _, fitted, following in rows:
        across += [*theme.short([fitted, following]), None]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "showlegend": False,
            "hoverinfo": "skip",
            "x": across,
            "y": [part for name, _, _ in rows for part in (name, name, None)],
            "line": {"color": theme.FAINT, "width": 3},
        }
    ]
    for label, colour, values, symbol in (
        ("fitted", theme.COLOURS[4], [row[1] for row in rows], "circle-open"),
        ("next", theme.COLOURS[0], [row[2] for row in rows], "circle"),
    ):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label,
                "x": theme.short(values),
                "y": [row[0] for row in rows],
                "marker": {"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2}},
            }
        )
    figure = theme.figure(
        data,
        height=theme.rows_height(len(rows)),
        xaxis={"title": {"text": "balancedness"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    lost = sum(a - b for _, a, b in rows) / len(rows)
    summary = f"In {len(rows)} scenarios {lost:.3f} of the fitted balancedness is lost on average."
    texts = tuple((name, f"{a:.4f}", f"{b:.4f}", f"{a - b:+.4f}") for name, a, b in rows)
    table = Table(("scenario", "fitted", "next", "lost"), texts)
    caption = (
        "Balancedness on the window that was seen (open) and on the one that followed (full). The "
        "line between them is what the promise was short of."
    )
    return Panel("Promise and outcome", caption, (View("all", figure, summary, table),), wide=True)
