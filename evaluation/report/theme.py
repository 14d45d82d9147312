"""Colours and shapes of all plots; the page adds the colours that differ in light and dark."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.report import assets

#: Distinct on light and dark ground, and for most colour-blind readers (after Okabe and Ito).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7fd1", "#999999")
#: Lines that are shown for comparison only, on either ground.
FAINT = "rgba(128,134,142,0.45)"
#: The same for points, which need more contrast than lines.
FAINT_POINT = "#8b929a"
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
#: Ends of a scale around a middle, below and above; plot_theme.js has the same.
BELOW, ABOVE = "#2a78b8", "#d95f0e"
#: ``meta`` of a trace whose colour scale goes from BELOW over the page's ``--middle`` to ABOVE.
DIVERGING = "diverging"
HEIGHT = 420
ROW = 26

#: HTML tags that the plots use. All others are shown as text.
_MARKUP = re.compile(r"<(?!(?:br|/?b|/?extra)>)")


def figure(data: list[dict[str, Any]], **layout: Any) -> dict[str, Any]:
    """Return a figure as Plotly's JSON, with the default height unless ``layout`` has one."""
    return {"data": data, "layout": {"height": HEIGHT, **layout}}


def others() -> dict[str, Any]:
    """Return the legend entry for all faint lines, whose ``legendgroup`` is "others"."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "others",
        "legendgroup": "others",
        "legendrank": 3000,
        "x": [None],
        "y": [None],
        "line": {"color": FAINT},
    }


def point_colour(colour: str) -> str:
    """Return the colour of a candidate's points from that of its lines."""
    return FAINT_POINT if colour == FAINT else colour


def rows_height(rows: int) -> int:
    """Return the height of a plot with this many rows of text."""
    return 110 + ROW * max(rows, 3)


def short(values: Iterable[float], digits: int = 4) -> list[float]:
    """Return numbers rounded to ``digits`` significant digits, to keep pages small."""
    return [float(f"{value:.{digits}g}") for value in values]


def page_colours(scheme: str) -> dict[str, str]:
    """Return the colours of site.css by their names, "paper" say.

    Parameters
    ----------
    scheme
        "light" or "dark".
    """
    light, dark = re.findall(r":root \{(.*?)\}", assets.asset_text("site.css"), re.DOTALL)
    rules = light if scheme == "light" else light + dark
    return dict(re.findall(r"--([\w-]+): (#\w+)", rules))


def to_json(shown: dict[str, Any]) -> str:
    """Return a figure as JSON that is safe inside a ``script`` element.

    Plotly reads some HTML in its texts, and names may come from untrusted records. All markup but
    the plots' own line breaks is therefore shown as text. No "<" is left that could end the
    element. NumPy arrays become Plotly's base64 arrays of float32; there NaN is a gap.
    """
    text = json.dumps(_plain(shown), separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _typed_array(value)
    if isinstance(value, str):
        if "<" in value or "&" in value:
            return _MARKUP.sub("&lt;", value.replace("&", "&amp;"))
        return value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        if value and all(type(each) is float for each in value):
            return value
        return [_plain(each) for each in value]
    return value


def _typed_array(values: NDArray[Any]) -> dict[str, str]:
    """Return an array as plotly.js reads it: seven digits in 5.3 letters a number."""
    data = np.ascontiguousarray(values, "<f4").tobytes()
    typed = {"dtype": "f4", "bdata": base64.b64encode(data).decode()}
    return typed | ({"shape": ", ".join(map(str, values.shape))} if values.ndim > 1 else {})
