"""How busy the links of the fabric are while experts' tokens travel."""

from typing import Any

from evaluation.report import record_select, theme
from evaluation.report.panel import Panel, Record, Table, View

#: Candidates drawn in one scenario, and links of each.
MOST, LINKS = 5, 12


def panel(records: list[Record]) -> Panel | None:
    """Return the utilisation of the busiest links of a step, bars of one candidate."""
    views = [
        _view(place, name, mine[0]["links"])
        for place, candidates in record_select.places(
            record_select.finished(records, "links")
        ).items()
        for name, mine in list(candidates.items())[:MOST]
    ]
    if not views:
        return None
    return Panel(
        "Links of the fabric",
        f"The {LINKS} busiest links in the mean step of the last window: the part of the step in "
        "which each is busy with experts' tokens. Where one stands far above the others, a "
        "placement can spare it; where none comes near 100 %, the fabric is not what limits.",
        tuple(views),
    )


def _view(place: record_select.Place, name: str, found: list[dict[str, Any]]) -> View:
    busiest = sorted(found, key=lambda one: (-one["utilisation"], str(one["link"])))[:LINKS]
    names = [_name(one) for one in busiest]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": theme.short(100 * one["utilisation"] for one in busiest),
        "y": names,
        "hovertemplate": "%{y}: %{x} %<extra></extra>",
        "marker": {"color": theme.COLOURS[0]},
    }
    figure = theme.figure(
        [bar],
        height=theme.rows_height(len(busiest)),
        bargap=0.4,
        xaxis={"title": {"text": "utilisation, %"}, "rangemode": "tozero"},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    summary = (
        f"Under {name} the busiest link is {names[0]} with {busiest[0]['utilisation']:.1%}, the "
        f"last of {len(busiest)} shown {names[-1]} with {busiest[-1]['utilisation']:.1%}."
    )
    rows = tuple(
        (label, f"{one['utilisation']:.1%}") for label, one in zip(names, busiest, strict=True)
    )
    group = " · ".join(part for part in place if part)
    return View(name, figure, summary, Table(("link", "utilisation"), rows), group)


def _name(found: dict[str, Any]) -> str:
    """Return the name of a link, and how many others are as busy."""
    link, others = found["link"], found.get("others")
    name = " – ".join(map(str, link)) if isinstance(link, list) else str(link)
    return f"{name} (+{others})" if isinstance(others, int) and others > 0 else name
