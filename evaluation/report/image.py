"""Plots as an SVG or PNG, by Plotly's image export (kaleido, which starts a browser)."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.report import theme
from evaluation.report.plot import Plot

ENDINGS = (".svg", ".png")
#: Pixels; a PNG has twice as many each way, for screens of high density.
WIDTH, MARGIN, HEADER = 960, 20, 52
#: Pixels above a plot for its title and for a legend, and below for the title of its axis.
TITLE, LEGEND, AXIS = 36, 28, 64
#: Pixels at the left for names of rows, and at the right for a colour bar.
LEFT, BAR = 150, 110
NO_NEED = "an .html needs neither"


def check(path: Path) -> None:
    """Raise an ImportError unless kaleido and a browser for it are there.

    Parameters
    ----------
    path
        The image, for the message.
    """
    if importlib.util.find_spec("kaleido") is None:
        raise ImportError(
            f"{path}: an image needs kaleido and a browser: pip install 'podlab[image]'; {NO_NEED}"
        )
    from choreographer.browsers.chromium import Chromium

    if Chromium.find_browser(skip_local=False) is None:
        raise ImportError(
            f"{path}: an image needs Chrome or Chromium: install one, or run plotly_get_chrome; "
            f"{NO_NEED}"
        )


def draw(title: str, plots: Sequence[Plot], form: str, scheme: str = "light") -> bytes:
    """Return an image of plots, one below the other.

    Parameters
    ----------
    title
        Heading of the image.
    plots
        At least one; each with one pair of axes.
    form
        "svg" or "png".
    scheme
        "light" or "dark".

    Raises
    ------
    ImportError
        If kaleido is not installed.
    """
    import kaleido

    figure = json.loads(theme.to_json(stacked(title, plots, theme.page_colours(scheme))))
    size = {"width": figure["layout"]["width"], "height": figure["layout"]["height"]}
    options = {"format": form, "scale": 2 if form == "png" else 1, **size}
    # MathJax would be fetched from the network, and no title holds a formula.
    image: bytes = kaleido.calc_fig_sync(figure, opts=options, kopts={"mathjax": False})
    return image


def stacked(title: str, plots: Sequence[Plot], colours: dict[str, str]) -> dict[str, Any]:
    """Return one figure with a pair of axes for each plot, in the colours of a page.

    Parameters
    ----------
    title, plots
        As in :func:`draw`.
    colours
        Colours of :func:`evaluation.report.theme.page_colours`.
    """
    heights = [TITLE + LEGEND + plot.figure["layout"]["height"] for plot in plots]
    inner = sum(heights)
    layout = _page_layout(title, plots, inner, colours)
    data: list[dict[str, Any]] = []
    top = inner
    for number, (plot, height) in enumerate(zip(plots, heights, strict=True), 1):
        suffix = "" if number == 1 else str(number)
        low, high = top - height + AXIS, top - TITLE - LEGEND
        domain = [low / inner, high / inner]
        data += [_placed(trace, suffix, domain, colours) for trace in plot.figure["data"]]
        layout |= _axes(plot.figure["layout"], suffix, domain, colours)
        legend = {"orientation": "h", "x": 0, "y": domain[1], "yanchor": "bottom"}
        layout[f"legend{suffix}"] = legend | {"bgcolor": "rgba(0,0,0,0)"}
        layout["annotations"].append(_heading(plot.title, (top - 10) / inner, 15))
        top -= height
    return {"data": data, "layout": layout}


def _page_layout(
    title: str, plots: Sequence[Plot], inner: int, colours: dict[str, str]
) -> dict[str, Any]:
    """Return size, margins, colours and heading; ``inner`` is the height of all plots."""
    traces = [trace for plot in plots for trace in plot.figure["data"]]
    right = BAR if any(_has_colour_bar(trace) for trace in traces) else MARGIN
    return {
        "width": WIDTH,
        "height": HEADER + inner + MARGIN,
        "margin": {"l": LEFT, "r": right, "t": HEADER, "b": MARGIN, "autoexpand": False},
        "paper_bgcolor": colours["surface"],
        "plot_bgcolor": colours["surface"],
        "font": {"color": colours["ink"], "family": "system-ui, sans-serif", "size": 12},
        "annotations": [_heading(title, 1 + (HEADER - 14) / inner, 19)],
    }


def _heading(text: str, y: float, size: int) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "top"}
    font = {"size": size, "weight": 600}
    return {"text": text, "showarrow": False, "font": font, **place, "xshift": MARGIN - LEFT}


def _has_colour_bar(trace: dict[str, Any]) -> bool:
    return "colorbar" in trace or "colorbar" in trace.get("marker", {})


def _placed(
    trace: dict[str, Any], suffix: str, domain: list[float], colours: dict[str, str]
) -> dict[str, Any]:
    """Return a trace on the axes, legend and colour bar of its plot."""
    placed = trace | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    if trace["type"] != "heatmap":
        placed["legend"] = f"legend{suffix}"
    bar = {"y": sum(domain) / 2, "len": domain[1] - domain[0], "lenmode": "fraction"}
    if "colorbar" in trace:
        placed["colorbar"] = trace["colorbar"] | bar
    if "colorbar" in trace.get("marker", {}):
        marker = trace["marker"]
        placed["marker"] = marker | {"colorbar": marker["colorbar"] | bar}
    if trace.get("meta") == theme.DIVERGING:
        scale = [[0, theme.BELOW], [0.5, colours["middle"]], [1, theme.ABOVE]]
        placed["colorscale"] = scale
    return placed


def _axes(
    layout: dict[str, Any], suffix: str, domain: list[float], colours: dict[str, str]
) -> dict[str, Any]:
    line = colours["line"]
    common = {"gridcolor": line, "zerolinecolor": line, "linecolor": line}
    placed = {
        f"xaxis{suffix}": {"anchor": f"y{suffix}", "domain": [0, 1]},
        f"yaxis{suffix}": {"anchor": f"x{suffix}", "domain": domain},
    }
    for name, place in placed.items():
        own = layout.get(name.removesuffix(suffix), {})
        placed[name] = common | own | place | {"title": {"standoff": 8, **own.get("title", {})}}
    return placed
