"""Utilisation of the links of the fabric by the tokens of experts."""

from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View

#: Number of candidates drawn in one scenario, and of links of each.
MOST, LINKS = 5, 12


def panel(records: list[Record]) -> Panel | None:
    """Return the utilisation of the busiest links of a step, bars of one candidate."""
    views = [
        _view(scenario_variant, name, runs[0]["links"])
        for scenario_variant, candidates in panel_data.by_scenario(
            panel_data.finished(records, "links")
        ).items()
        for name, runs in list(candidates.items())[:MOST]
    ]
    if not views:
        return None
    return Panel(
        "Links of the fabric",
        f"The {LINKS} busiest links in the mean step of the last window: the part of the step in "
        "which each transfers tokens of experts. If one link is far above the others, another "
        "placement can relieve it. If no link is near 100 %, the fabric is not the bottleneck.",
        tuple(views),
    )


def _view(
    scenario_variant: panel_data.ScenarioVariant, name: str, links: list[dict[str, Any]]
) -> View:
    busiest = sorted(links, key=lambda link: (-link["utilisation"], str(link["link"])))[:LINKS]
    names = [_name(link) for link in busiest]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": theme.short(100 * link["utilisation"] for link in busiest),
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
        f"Under {name} the busiest link is {names[0]} with {busiest[0]['utilisation']:.1%}; the "
        f"last of the {len(busiest)} shown is {names[-1]} with {busiest[-1]['utilisation']:.1%}."
    )
    rows = tuple(
        (label, f"{link['utilisation']:.1%}") for label, link in zip(names, busiest, strict=True)
    )
    group = " · ".join(part for part in scenario_variant if part)
    return View(name, figure, summary, Table(("link", "utilisation"), rows), group)


def _name(link: dict[str, Any]) -> str:
    """Return the name of a link, and the number of others with the same utilisation."""
    ends, others = link["link"], link.get("others")
    name = " – ".join(map(str, ends)) if isinstance(ends, list) else str(ends)
    return f"{name} (+{others})" if isinstance(others, int) and others > 0 else name
