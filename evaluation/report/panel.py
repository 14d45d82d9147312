"""A panel of a report: a title, a caption, and views, each a plot with its numbers as a table."""

from dataclasses import dataclass
from typing import Any

from evaluation.records.identity import Record

__all__ = ["Panel", "Record", "Table", "View"]


@dataclass(frozen=True)
class Table:
    """The text alternative of a plot.

    Parameters
    ----------
    headings
        A heading for each column; the first column names the row.
    rows
        Texts of the cells.
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
        Name of the view within its group; may be empty.
    figure
        Plotly's JSON, ``{"data": [...], "layout": {...}}``, without colours of paper, text and
        grid, which the page sets for light and dark.
    summary
        One sentence that describes the plot with numbers. Screen readers read it as its name.
    table
        The numbers.
    group
        Text before the name in the list of views, a scenario say.
    """

    name: str
    figure: dict[str, Any]
    summary: str
    table: Table
    group: str = ""

    @property
    def label(self) -> str:
        """Text in the list of views."""
        return " · ".join(part for part in (self.group, self.name) if part)


@dataclass(frozen=True)
class Panel:
    """A plot with its heading.

    Parameters
    ----------
    title, caption
        Name of the panel, and how to read it.
    views
        At least one.
    wide
        Whether it takes the whole width of the page.
    """

    title: str
    caption: str
    views: tuple[View, ...]
    wide: bool = False
