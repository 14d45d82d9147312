"""Traces as a picture: where the load is, how it moves, how steep it falls; one column a trace."""

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.analysis import png
from evaluation.analysis.trace_table import describe_trace
from traces.statistics import Summary
from traces.statistics.skew import shares
from traces.statistics.summary import describe

Array = NDArray[np.float64]

#: Experts whose course over time is drawn.
HOTTEST = 24
#: The colours end at so many doublings above and below the mean.
DOUBLINGS = 4.0
MAP_WIDTH, GAP, MARGIN, TOP = 520, 70, 60, 64
MAP_HEIGHT, TIME_HEIGHT, CURVE_HEIGHT = 300, 200, 200
#: Colours from cold over even to hot.
COLD, EVEN, HOT, EMPTY = (33, 102, 172), (247, 247, 247), (178, 24, 43), (208, 215, 222)
LINES = ("#0969da", "#bf3989", "#1a7f37", "#bf8700")
STYLE = """
text { font: 12px sans-serif; fill: #57606a } .title { font-size: 15px; fill: #24292f }
.frame { fill: none; stroke: #afb8c1 } .even { stroke: #afb8c1; stroke-dasharray: 4 3 }
image { image-rendering: pixelated }
@media (prefers-color-scheme: dark) { text { fill: #8b949e } .title { fill: #e6edf3 } }
"""
PAGE = """
body { font: 14px sans-serif; margin: 2em; color-scheme: light dark }
td, th { padding: 0 1em 0 0; text-align: right } td:first-child, td:last-child { text-align: left }
"""


def check_name(path: Path) -> None:
    """Raise ValueError unless it ends in .svg or .html."""
    if path.suffix not in (".svg", ".html"):
        raise ValueError(f"--picture {path}: give a name that ends in .svg or .html")


def write(told: Mapping[str, Summary], path: Path) -> None:
    """Write ``.svg``, or ``.html`` with a table under it, under a temporary name, then rename.

    Parameters
    ----------
    told
        Summaries by the names of their traces.
    path
        The file.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    """
    check_name(path)
    picture = svg(told)
    if path.suffix == ".html":
        title = escape(", ".join(told))
        head = f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{PAGE}</style>"
        picture = f"{head}{picture}{_table(told)}"
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(picture, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def svg(told: Mapping[str, Summary]) -> str:
    """Return a self-contained SVG: two heat maps for each trace, and the curves of all."""
    columns = len(told)
    width = 2 * MARGIN + columns * MAP_WIDTH + (columns - 1) * GAP
    down = TOP + MAP_HEIGHT + 56
    curve = down + TIME_HEIGHT + 56
    height = curve + CURVE_HEIGHT + 48
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img">',
        f"<style>{STYLE}</style>",
    ]
    for number, (name, summary) in enumerate(told.items()):
        left = MARGIN + number * (MAP_WIDTH + GAP)
        lines.append(f'<text class="title" x="{left}" y="22">{escape(name)}</text>')
        lines += _words(left, 40, describe_trace(summary))
        lines += _load_map(summary, left)
        lines += _time_map(summary, left, down)
    lines += _curves(told, MARGIN, curve, min(width - 2 * MARGIN, 2 * MAP_WIDTH))
    lines += _legend(MARGIN, height - 14)
    return "\n".join([*lines, "</svg>"])


def colours(ratio: Array) -> NDArray[np.uint8]:
    """Return [..., 3] colours of loads over their mean: blue below, white at 1, red above.

    They are full at 16 times the mean and at a 16th of it; NaN is grey.
    """
    with np.errstate(divide="ignore"):
        part = np.clip(np.log2(ratio) / DOUBLINGS, -1, 1)[..., None]
    ends = np.where(part > 0, np.array(HOT), np.array(COLD))
    mixed = np.array(EVEN) + np.abs(part) * (ends - np.array(EVEN))
    return np.where(np.isnan(part), np.array(EMPTY), np.rint(mixed)).astype(np.uint8)


def hottest_over_time(summary: Summary) -> tuple[list[tuple[int, int]], Array]:
    """Return the hottest (layer, expert) of the whole trace, and [hottest, bins] load over mean."""
    over = shares(summary.load) * summary.experts
    drawn = min(HOTTEST, -(-over.size // 2))
    order = np.argsort(-np.nan_to_num(over), axis=None, kind="stable")[:drawn]
    layer, expert = np.unravel_index(order, over.shape)
    course = shares(summary.timeline) * summary.experts
    named = list(zip(layer.tolist(), expert.tolist(), strict=True))
    return named, course[:, layer, expert].T


def _load_map(summary: Summary, left: int) -> list[str]:
    over = shares(summary.load) * summary.experts
    words = f"load of every expert over the layer's mean: {summary.layers} layers down, "
    words += f"{summary.experts} experts across"
    last = summary.layers - 1
    return [
        *_image(over, left, TOP, MAP_HEIGHT, words),
        f'<text x="{left - 6}" y="{TOP + 10}" text-anchor="end">0</text>',
        f'<text x="{left - 6}" y="{TOP + MAP_HEIGHT}" text-anchor="end">{last}</text>',
        f'<text x="{left}" y="{TOP + MAP_HEIGHT + 16}">expert 0 … {summary.experts - 1}, '
        "layers from the top</text>",
    ]


def _time_map(summary: Summary, left: int, top: int) -> list[str]:
    named, course = hottest_over_time(summary)
    words = "; ".join(f"layer {layer} expert {expert}" for layer, expert in named)
    row = TIME_HEIGHT / len(named)
    lines = [f'<text x="{left}" y="{top - 6}">the {len(named)} hottest experts over time</text>']
    lines += _image(course, left, top, TIME_HEIGHT, words)
    for number in range(0, len(named), 2):
        y = top + row * (number + 0.5) + 4
        name = "/".join(map(str, named[number]))
        lines.append(f'<text x="{left - 6}" y="{y:.1f}" text-anchor="end">{name}</text>')
    each = "" if summary.bin_windows == 1 else f", {summary.bin_windows} in a column"
    steps = "step" if summary.window_steps == 1 else "steps"
    lines.append(
        f'<text x="{left}" y="{top + TIME_HEIGHT + 16}">layer/expert; {summary.windows:,} windows '
        f"of {summary.window_steps:,} {steps}{each}</text>"
    )
    return lines


def _curves(told: Mapping[str, Summary], left: int, top: int, width: int) -> list[str]:
    """Draw the load over the mean from the hottest expert of a layer to the coldest."""
    sorted_loads = {name: _from_hottest(summary) for name, summary in told.items()}
    most = max(float(curve.max()) for curve in sorted_loads.values())
    scale = CURVE_HEIGHT / max(most, 1.0)
    even = top + CURVE_HEIGHT - scale
    lines = [
        f'<text x="{left}" y="{top - 6}">load over mean, hottest expert to coldest, mean of layers'
        "</text>",
        f'<rect class="frame" x="{left}" y="{top}" width="{width}" height="{CURVE_HEIGHT}"/>',
        f'<line class="even" x1="{left}" x2="{left + width}" y1="{even:.1f}" y2="{even:.1f}"/>',
        f'<text x="{left - 6}" y="{even + 4:.1f}" text-anchor="end">1</text>',
        f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{most:.1f}</text>',
    ]
    for number, (name, curve) in enumerate(sorted_loads.items()):
        across = np.linspace(left, left + width, len(curve) + 1)[:-1] + width / len(curve) / 2
        points = " ".join(
            f"{x:.1f},{top + CURVE_HEIGHT - scale * y:.1f}"
            for x, y in zip(across, curve, strict=True)
        )
        colour = LINES[number % len(LINES)]
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        y = top + 20 + 16 * number
        lines.append(
            f'<text x="{left + width - 8}" y="{y}" text-anchor="end" style="fill: {colour}">'
            f"{escape(name)}</text>"
        )
    return lines


def _from_hottest(summary: Summary) -> Array:
    """[experts] load over mean, falling, mean of the layers that have any load."""
    loaded = summary.load[summary.load.sum(axis=1) > 0]
    if not len(loaded):
        return np.zeros(summary.experts)
    curve: Array = np.sort(shares(loaded), axis=1)[:, ::-1].mean(axis=0) * summary.experts
    return curve


def _image(ratio: Array, left: int, top: int, height: int, words: str) -> list[str]:
    where = f'x="{left}" y="{top}" width="{MAP_WIDTH}" height="{height}"'
    uri = png.data_uri(colours(ratio))
    return [
        f'<image {where} preserveAspectRatio="none" href="{uri}"><title>{escape(words)}</title>'
        "</image>",
        f'<rect class="frame" {where}/>',
    ]


def _legend(left: int, y: int) -> list[str]:
    steps = np.linspace(-DOUBLINGS, DOUBLINGS, 61)[None, :]
    uri = png.data_uri(colours(2.0**steps))
    return [
        f'<text x="{left}" y="{y}">a 16th of the mean</text>',
        f'<image x="{left + 145}" y="{y - 11}" width="180" height="13" preserveAspectRatio="none" '
        f'href="{uri}"/>',
        f'<text x="{left + 333}" y="{y}">16 times the mean, or beyond</text>',
    ]


def _words(left: int, y: int, text: str, most: int = 88) -> list[str]:
    """Break a line where it would run into the next column."""
    first = text if len(text) <= most else text[: text.rindex(" ", 0, most)]
    lines = [first, text[len(first) :].strip()]
    return [
        f'<text x="{left}" y="{y + 15 * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]


def _table(told: Mapping[str, Summary]) -> str:
    values = {name: summary.overall for name, summary in told.items()}
    head = "".join(f"<th>{escape(name)}</th>" for name in told)
    rows = []
    for statistic in dict.fromkeys(key for found in values.values() for key in found):
        cells = (found.get(statistic, float("nan")) for found in values.values())
        numbers = "".join(f"<td>{'–' if x != x else f'{x:.3f}'}</td>" for x in cells)
        about = escape(describe(statistic))
        rows.append(f"<tr><td>{statistic}</td>{numbers}<td>{about}</td></tr>")
    return f"<table><tr><th></th>{head}<th></th></tr>{''.join(rows)}</table>"
