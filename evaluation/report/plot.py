"""A figure with its title and caption."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Plot:
    """One plot of a self-contained page or an image.

    Parameters
    ----------
    title, caption
        Name of the plot, and how to read it. The caption may be empty.
    figure
        Plotly's JSON as :func:`evaluation.report.theme.figure` returns it. Colours of paper, text
        and grid are left out: the page sets them for light and dark.
    wide
        Whether the plot takes the whole width of the page.
    """

    title: str
    caption: str
    figure: dict[str, Any]
    wide: bool = False
