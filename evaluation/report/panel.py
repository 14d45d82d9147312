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
    words
        Positions of columns that hold words, which are aligned left.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class View:
    """One plot of a panel; a panel with several offers a choice of them.

    Parameters
    ----------
    name
        Of the view among those of its group; may be empty.
    figure
        Plotly's JSON, ``{"data": [...], "layout": {...}}``, without colours of paper, text and
        grid, which the page sets for light and dark.
    summary
        One sentence that says what is seen, with numbers: the plot's name to a screen reader.
    table
        The numbers.
    group
        What stands before the name where views are chosen, a scenario say.
    """

    name: str
    figure: dict[str, Any]
    summary: str
    table: Table
    group: str = ""

    @property
    def label(self) -> str:
        """What the view is chosen by."""
        return " · ".join(part for part in (self.group, self.name) if part)


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
