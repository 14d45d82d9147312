"""The picture of a fabric: nodes in levels, links coloured by load."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.analysis.fabric_facts import facts, fullest_links
from evaluation.analysis.fabric_layout import FabricLayout, lay_out
from evaluation.report import plot_page, theme
from evaluation.report.panel import Table
from evaluation.report.plot import Plot
from hardware import Fabric

#: From an idle link to one that is always busy; all are seen on light and on dark ground.
IDLE_TO_FULL = ((0.0, "#6f9fc4"), (0.5, "#e69f00"), (1.0, "#d5330e"))
#: Number of shades of links: a line of Plotly has one colour.
SHADES = 12
#: Position of a link's hover text from its lower end. In the middle, links cross.
HOVER_AT = 0.38
LEVEL_HEIGHT, MARGIN = 170, 110
KIND_COLOURS = {
    **dict.fromkeys(("die", "gpu"), theme.COLOURS[0]),
    **dict.fromkeys(("l1", "nvswitch"), theme.COLOURS[2]),
    **dict.fromkeys(("l2", "rail", "rdma", "vpc"), theme.COLOURS[3]),
    "cpu": theme.COLOURS[6],
}


def write(fabric: Fabric, bytes_sent: NDArray[np.float64], traffic: str, path: Path) -> None:
    """Write the picture of a fabric under an all-to-all.

    Parameters
    ----------
    fabric
        The fabric.
    bytes_sent
        [source, destination] bytes of the all-to-all that loads the links.
    traffic
        Name of the traffic.
    path
        As in :func:`evaluation.report.plot_page.write`.

    Raises
    ------
    ValueError, ImportError
        As in :func:`evaluation.report.plot_page.write`.
    """
    texts = facts(fabric, bytes_sent, traffic)
    rows = tuple(
        (f"{source} → {target}", f"{seconds * 1e6:.1f}", f"{share:.0%}")
        for source, target, seconds, share in fullest_links(fabric, bytes_sent)
    )
    page_text = plot_page.PageText(
        lines=(repr(fabric), *(f"{name}: {text}" for name, text in texts.items())),
        tables_below={"Fullest links": Table(("link", "busy µs", "of the time"), rows)},
    )
    layout = lay_out(fabric, fabric.utilisation(bytes_sent))
    plot_page.write(path, f"Fabric {fabric.name}", [plot(layout, traffic)], page_text)


def plot(layout: FabricLayout, traffic: str) -> Plot:
    """Return the nodes and links of a layout as a plot."""
    levels: dict[int, set[str]] = defaultdict(set)
    for node in layout.nodes:
        levels[node.y].add(node.kind)
    figure = theme.figure(
        [*_lines(layout), _link_points(layout), *_nodes(layout)],
        height=MARGIN + LEVEL_HEIGHT * max(len(levels) - 1, 1),
        xaxis={"visible": False, "range": [-0.01, 1.01]},
        yaxis={
            "tickvals": sorted(levels),
            "ticktext": [", ".join(sorted(levels[level])) for level in sorted(levels)],
            "showgrid": False,
            "zeroline": False,
            "range": [-0.25, max(levels) + 0.25],
        },
    )
    caption = (
        f"Links coloured by the part of the time that they are busy under {traffic} traffic. Hover "
        "over a node, or over the lower part of a link, for names and numbers."
    )
    if any(node.size > 1 for node in layout.nodes):
        caption += " A line has the colour of the busiest of its links; a dot is a group of nodes."
    return Plot("Links by load", caption, figure, wide=True)


def shade(load: float) -> int:
    """Return the number of the shade of a load: 0 when idle, SHADES - 1 when always busy."""
    return min(SHADES - 1, int(load * SHADES))


def _lines(layout: FabricLayout) -> list[dict[str, Any]]:
    """Return a trace for each shade in use, so that thousands of links are a dozen traces."""
    from plotly.colors import sample_colorscale

    colours = sample_colorscale(
        [list(stop) for stop in IDLE_TO_FULL], [number / (SHADES - 1) for number in range(SHADES)]
    )
    across: dict[int, list[float | None]] = defaultdict(list)
    up: dict[int, list[float | None]] = defaultdict(list)
    for bundle in layout.bundles:
        first, second = (layout.nodes[end] for end in bundle.ends)
        across[shade(bundle.load)] += [round(first.x, 4), round(second.x, 4), None]
        up[shade(bundle.load)] += [first.y, second.y, None]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": across[number],
            "y": up[number],
            "line": {"color": colours[number], "width": 0.7 + number / (SHADES - 1)},
            "opacity": 0.65,
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for number in sorted(across)
    ]


def _link_points(layout: FabricLayout) -> dict[str, Any]:
    """Return unseen points on the links, which carry hover texts and the scale of colours."""
    pairs = [
        sorted((layout.nodes[end] for end in bundle.ends), key=lambda node: node.y)
        for bundle in layout.bundles
    ]
    texts = [
        f"{low.name} – {high.name}<br>{_count(bundle.links, 'link')}, busiest {bundle.load:.0%}"
        for (low, high), bundle in zip(pairs, layout.bundles, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": theme.short(low.x + HOVER_AT * (high.x - low.x) for low, high in pairs),
        "y": theme.short(low.y + HOVER_AT * (high.y - low.y) for low, high in pairs),
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "marker": {
            "size": 9,
            "opacity": 0,
            "color": theme.short(bundle.load for bundle in layout.bundles),
            "cmin": 0,
            "cmax": 1,
            "colorscale": [list(stop) for stop in IDLE_TO_FULL],
            "showscale": True,
            "colorbar": {"title": {"text": "busy"}, "tickformat": ".0%", "thickness": 12},
        },
    }


def _nodes(layout: FabricLayout) -> list[dict[str, Any]]:
    traces = []
    for kind in dict.fromkeys(node.kind for node in layout.nodes):
        nodes = [node for node in layout.nodes if node.kind == kind]
        sizes = [f"<br>{node.size} of them" if node.size > 1 else "" for node in nodes]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": kind,
                "x": theme.short(node.x for node in nodes),
                "y": [node.y for node in nodes],
                "text": [node.name + size for node, size in zip(nodes, sizes, strict=True)],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"size": 9, "color": KIND_COLOURS.get(kind, theme.FAINT_POINT)},
            }
        )
    return traces


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
