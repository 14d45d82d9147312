"""A fabric as a picture: nodes in levels, links coloured by how busy they are."""

import os
from collections import defaultdict
from collections.abc import Hashable
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware import Fabric

#: Levels from the bottom up, by kind of node.
LEVELS = {
    "cpu": 0,
    "die": 1,
    "gpu": 1,
    "l1": 2,
    "nvswitch": 2,
    "l2": 3,
    "rail": 3,
    "rdma": 3,
    "vpc": 3,
}
#: Beyond so many links, nodes of one kind in one server, or one plane, are drawn as one.
MOST_LINKS = 2000
WIDTH, LEVEL_HEIGHT, MARGIN = 1200, 170, 60
STYLE = """
text { font: 12px sans-serif; fill: #57606a } .title { font-size: 16px; fill: #24292f }
circle { stroke: #fff } .die, .gpu { fill: #0969da } .cpu { fill: #8250df }
.l1, .nvswitch { fill: #1a7f37 } .l2, .rail, .rdma, .vpc { fill: #bf8700 }
@media (prefers-color-scheme: dark) { text { fill: #8b949e } .title { fill: #e6edf3 } }
"""

Edge = tuple[str, str]


def svg(fabric: Fabric, utilisation: NDArray[np.float64]) -> str:
    """Return a self-contained SVG; hovering over a node or a link says what it is.

    Parameters
    ----------
    fabric
        What is drawn.
    utilisation
        [links] fraction of the time that each link is busy; its colour.
    """
    names = _drawn(fabric)
    members: dict[str, list[Hashable]] = defaultdict(list)
    for node, name in names.items():
        members[name].append(node)
    places = _places(fabric, members)
    edges: dict[Edge, list[float]] = defaultdict(list)
    for (source, target), busy in zip(fabric.links, utilisation.tolist(), strict=True):
        one, other = sorted((names[source], names[target]))
        edges[one, other].append(busy)
    height = int(max(y for _, y in places.values())) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{MARGIN}" y="26">{escape(repr(fabric))}</text>',
    ]
    lines += [_line(places, edge, busy) for edge, busy in edges.items() if edge[0] != edge[1]]
    lines += [_dot(fabric, name, nodes, places[name]) for name, nodes in members.items()]
    lines += _labels(fabric, members, places)
    return "\n".join([*lines, _legend(height), "</svg>"])


def write(picture: str, path: Path) -> None:
    """Write ``.svg``, or ``.html`` around it, under a temporary name, then rename.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    """
    if path.suffix not in (".svg", ".html"):
        raise ValueError(f"--out {path}: give a name that ends in .svg or .html")
    page = f"<!doctype html><meta charset=utf-8><title>fabric</title>{picture}"
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(page if path.suffix == ".html" else picture, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _drawn(fabric: Fabric) -> dict[Hashable, str]:
    """Name under which each node is drawn: its own, or that of its group."""
    if len(fabric.links) <= MOST_LINKS:
        return {node: str(node) for node in fabric.graph}
    names = {}
    for node, data in fabric.graph.nodes(data=True):
        kind = data.get("kind", "node")
        group = data.get("server", str(node).split(".")[1] if "." in str(node) else node)
        names[node] = f"{kind} {group}"
    return names


def _places(fabric: Fabric, members: dict[str, list[Hashable]]) -> dict[str, tuple[float, float]]:
    """Where each drawn node stands: its kind's level, in order."""
    levels: dict[int, list[str]] = defaultdict(list)
    for name, nodes in members.items():
        kind = fabric.graph.nodes[nodes[0]].get("kind", "")
        levels[LEVELS.get(kind, 1)].append(name)
    places: dict[str, tuple[float, float]] = {}
    used = sorted(levels, reverse=True)
    for row, level in enumerate(used):
        gap = (WIDTH - 2 * MARGIN) / len(levels[level])
        for column, name in enumerate(levels[level]):
            places[name] = (MARGIN + gap * (column + 0.5), 80 + LEVEL_HEIGHT * row)
    return places


def _line(places: dict[str, tuple[float, float]], edge: Edge, busy: list[float]) -> str:
    (x1, y1), (x2, y2) = places[edge[0]], places[edge[1]]
    most = max(busy)
    red = f"hsl({220 - 220 * most:.0f} 80% 50%)"  # blue when idle, red when full
    title = f"{edge[0]} – {edge[1]}: {len(busy)} links, busiest {most:.0%}"
    where = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    style = f'stroke="{red}" stroke-width="{0.4 + 1.6 * most:.2f}" opacity="0.6"'
    return f"<line {where} {style}><title>{escape(title)}</title></line>"


def _dot(fabric: Fabric, name: str, nodes: list[Hashable], place: tuple[float, float]) -> str:
    kind = fabric.graph.nodes[nodes[0]].get("kind", "die")
    count = f", {len(nodes)} of them" if len(nodes) > 1 else ""
    title = f"<title>{escape(f'{kind} {name}{count}')}</title>"
    return f'<circle class="{kind}" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="5">{title}</circle>'


def _labels(
    fabric: Fabric, members: dict[str, list[Hashable]], places: dict[str, tuple[float, float]]
) -> list[str]:
    """Return the kinds of node that stand in each level, at its left."""
    kinds: dict[float, list[str]] = defaultdict(list)
    for name, nodes in members.items():
        kind = fabric.graph.nodes[nodes[0]].get("kind", "node")
        if kind not in kinds[places[name][1]]:
            kinds[places[name][1]].append(kind)
    return [f'<text x="12" y="{y + 4:.0f}">{escape(", ".join(k))}</text>' for y, k in kinds.items()]


def _legend(height: int) -> str:
    words = (
        "links: blue idle, red as busy as the fullest · blue dots dies, green and yellow switches"
    )
    return f'<text x="{MARGIN}" y="{height - 16}">{words}, purple CPUs</text>'
