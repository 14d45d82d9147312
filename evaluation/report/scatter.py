"""Scatter plots of candidates with their names."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from evaluation.report import point_labels, theme

#: Width of a plot on a phone, in pixels.
NARROW = 250.0


class _Labels(NamedTuple):
    """Names of points and their positions, for a wide and a narrow screen."""

    wide: tuple[list[str], list[str]]
    narrow: tuple[list[str], list[str]]


def points(
    positions: Sequence[tuple[float, float]],
    pairs: Sequence[tuple[str, str]],
    colours: dict[str, str],
    hover: str,
    *,
    width: float = point_labels.WIDTH,
    logarithmic: bool = False,
) -> list[dict[str, Any]]:
    """Return a trace with a symbol for each variant, with names and legend entries.

    Names are left out where they would overlap.

    Parameters
    ----------
    positions
        x and y of each point.
    pairs
        Candidate and variant of each point; the first ones are labelled first.
    colours
        Colours of the candidates.
    hover
        Hover text of a point below its name, in Plotly's template.
    width
        Width of the plot in pixels. A narrow screen gets a second set of labels.
    logarithmic
        Whether the x axis is logarithmic.
    """
    x = [math.log10(across) if logarithmic else across for across, _ in positions]
    y = [up for _, up in positions]
    names = [candidate for candidate, _ in pairs]
    labels = _Labels(
        point_labels.place_labels(x, y, names, width),
        point_labels.place_labels(x, y, names, NARROW),
    )
    variants = sorted({variant for _, variant in pairs})
    traces: list[dict[str, Any]] = []
    for number, variant in enumerate(variants):
        rows = [row for row, pair in enumerate(pairs) if pair[1] == variant]
        symbol = theme.SYMBOLS[number % len(theme.SYMBOLS)]
        traces.append(
            {
                **_trace(rows, positions, names, labels),
                "name": variant or "candidates",
                "legendgroup": variant,
                "hovertemplate": f"<b>%{{customdata}}</b><br>{hover}",
                "marker": {
                    "size": 11,
                    "symbol": symbol,
                    "color": [theme.point_colour(colours[names[row]]) for row in rows],
                },
            }
        )
        if len(variants) > 1:
            traces.append(_legend_entry(variant, symbol))
    return traces


def _trace(
    rows: list[int], positions: Sequence[tuple[float, float]], names: list[str], labels: _Labels
) -> dict[str, Any]:
    """Return the points of some rows with their labels."""
    wide, narrow = (
        {"text": [texts[row] for row in rows], "textposition": [where[row] for row in rows]}
        for texts, where in labels
    )
    return {
        "type": "scatter",
        "mode": "markers+text",
        "cliponaxis": False,
        "showlegend": False,
        "x": theme.short(positions[row][0] for row in rows),
        "y": theme.short(positions[row][1] for row in rows),
        **wide,
        "meta": narrow,
        "customdata": [names[row] for row in rows],
    }


def _legend_entry(variant: str, symbol: str) -> dict[str, Any]:
    """Return a variant's entry in the legend: its symbol, without the colour of a candidate."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": variant or "candidates",
        "legendgroup": variant,
        "x": [None],
        "y": [None],
        "marker": {"size": 11, "symbol": symbol, "color": theme.FAINT_POINT},
    }
