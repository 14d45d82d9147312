"""What a panel is: a title, what is seen in it, and views, each a plot and the same as a table."""

from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """The text alternative of a plot.

    Parameters
    ----------
    headings
        One a column; the first column names the row.
    rows
        Texts, as they are read.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class View:
    """One plot of a panel; a panel with several offers a choice of them.

    Parameters
    ----------
    name
        Chosen by.
    figure
        Plotly's JSON, ``{"data": [...], "layout": {...}}``, without colours of paper, text and
        grid, which the page sets for light and dark.
    summary
        One sentence that says what is seen, with numbers: the plot's name to a screen reader.
    table
        The numbers.
    group
        Heading under which the view is offered, a scenario say.
    """

    name: str
    figure: dict[str, Any]
    summary: str
    table: Table
    group: str = ""


@dataclass(frozen=True)
class Panel:
    """A plot with its heading.

    Parameters
    ----------
    title, caption
        What it is, and how to read it.
    views
        At least one.
    wide
        Whether it takes the whole width of the page.
    """

    title: str
    caption: str
    views: tuple[View, ...]
    wide: bool = False
