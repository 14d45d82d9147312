"""Points with names beside them, which two panels draw."""

import math
from collections.abc import Sequence
from typing import Any

from evaluation.report import point_labels, theme

#: Width of a plot on a phone, in pixels.
NARROW = 250.0


def points(
    places: Sequence[tuple[float, float]],
    pairs: Sequence[tuple[str, str]],
    colours: dict[str, str],
    hover: str,
    *,
    width: float = point_labels.WIDTH,
    logarithmic: bool = False,
) -> list[dict[str, Any]]:
    """Return a trace a variant, a symbol each, names where there is room, and legend entries.

    Parameters
    ----------
    places
        x and y of each point.
    pairs
        Candidate and variant of each; who comes first is named first.
    colours
        Of the candidates.
    hover
        What is said of a point below its name, in Plotly's template.
    width
        Of the plot, pixels. On a phone the page takes names that were laid out for that.
    logarithmic
        Whether the axis across is.
    """
    across = [math.log10(x) if logarithmic else x for x, _ in places]
    up = [y for _, y in places]
    names = [candidate for candidate, _ in pairs]
    texts, positions = point_labels.beside(across, up, names, width)
    few, where = point_labels.beside(across, up, names, NARROW)
    variants = sorted({variant for _, variant in pairs})
    traces: list[dict[str, Any]] = []
    for number, variant in enumerate(variants):
        mine = [at for at, pair in enumerate(pairs) if pair[1] == variant]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "cliponaxis": False,
                "name": variant or "candidates",
                "showlegend": False,
                "legendgroup": variant,
                "x": theme.short(places[at][0] for at in mine),
                "y": theme.short(places[at][1] for at in mine),
                "text": [texts[at] for at in mine],
                "textposition": [positions[at] for at in mine],
                "meta": {
                    "text": [few[at] for at in mine],
                    "textposition": [where[at] for at in mine],
                },
                "customdata": [names[at] for at in mine],
                "hovertemplate": f"<b>%{{customdata}}</b><br>{hover}",
                "marker": {
                    "size": 11,
                    "symbol": theme.SYMBOLS[number % len(theme.SYMBOLS)],
                    "color": [theme.point_colour(colours[names[at]]) for at in mine],
                },
            }
        )
        if len(variants) > 1:
            traces.append(_entry(variant, traces[-1]["marker"]["symbol"]))
    return traces


def _entry(variant: str, symbol: str) -> dict[str, Any]:
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
