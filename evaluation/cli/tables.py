"""Where commands print tables."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Columns that the widest tables of podlab need.
WIDTH = 120


def table_console(
    least_width: int = WIDTH, *, record: bool = False, keep_terminal: bool = False
) -> "Console":
    """Return a console that is wide enough to print numbers and units in full.

    In a narrow terminal the lines continue in the next row. A pipe has no width, and Rich would
    assume 80 columns; in both cases it would shorten the cells.

    Parameters
    ----------
    least_width
        Columns that the table needs.
    record
        Whether the console records what it prints, for an export.
    keep_terminal
        Whether a terminal keeps its width: the table hides columns that do not fit.
    """
    from rich.console import Console

    console = Console()
    if keep_terminal and console.is_terminal:
        return console
    width = max(console.width, least_width)
    return Console(width=width, record=record)
