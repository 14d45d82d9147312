"""The leaderboard as a table in a terminal, for suites of every kind."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.leaderboard.column import Column

#: Columns of a console that is no terminal, so that a pipe or a file gets the whole table.
WIDTH = 132


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Parameters
    ----------
    rank
        None for a line that is not ranked and stands below the others.
    name, variant
        Of the candidate, and its dispatcher or stage.
    values
        What columns read.
    """

    rank: int | None
    name: str
    variant: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """A line below the table, in a style of Rich."""

    text: str
    style: str


@dataclass(frozen=True)
class Leaderboard:
    """What a table shows.

    Parameters
    ----------
    noun, variant
        Who competes, and what is compared beside them ("dispatcher", "stage", or nothing).
    columns
        The first one ranks.
    lines
        The best first; where ranks hold within one variant, variant by variant.
    notes
        Who is not ranked, and why.
    """

    noun: str
    variant: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[Note, ...] = ()

    @property
    def ranked_by_variant(self) -> bool:
        """Whether ranks hold within one variant alone."""
        return self.columns[0].within_variant


def console_for() -> Console:
    """Return a console that is wide enough for the table, unless it is a terminal."""
    console = Console()
    if console.is_terminal or console.width >= WIDTH:
        return console
    return Console(width=WIDTH)


def render(board: Leaderboard, title: str, console: Console) -> bool:
    """Print the table and the notes; return whether anybody was ranked."""
    if board.lines:
        table, hidden = _fitting(board, title, console)
        console.print(table)
        if hidden:
            names = ", ".join(column.title for column in hidden)
            console.print(f"hidden in a narrow window: {names}", style="dim", highlight=False)
        _explain_shared_ranks(board, console)
    for note in board.notes:
        console.print(note.text, style=note.style, markup=False, highlight=False, soft_wrap=True)
    return bool(board.lines)


def _fitting(board: Leaderboard, title: str, console: Console) -> tuple[Table, list[Column]]:
    """Return the table, and the columns that were hidden to make it fit the console."""
    several = any((line.values.get("scenarios") or 1) > 1 for line in board.lines)
    unfit = "one" if several else "several"
    shown = [one for one in board.columns if one.terminal and one.scenarios != unfit]
    hidden: list[Column] = []
    while True:
        table = _table(board, shown, title)
        unlimited = console.options.update(width=WIDTH * 2)
        spare = [column for column in shown if column.hide]
        if table.__rich_measure__(console, unlimited).maximum <= console.width or not spare:
            return table, hidden
        hidden.append(max(spare, key=lambda column: column.hide))
        shown.remove(hidden[-1])


def _table(board: Leaderboard, columns: Sequence[Column], title: str) -> Table:
    grouped = board.ranked_by_variant
    beside = not grouped and len({line.variant for line in board.lines if line.rank}) > 1
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
    if grouped:
        table.add_column(f"\n{board.variant}", no_wrap=True)
    table.add_column("\n#", justify="right", no_wrap=True)
    table.add_column(f"\n{board.noun}", no_wrap=True)
    if beside:
        table.add_column(f"\n{board.variant}", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    before = None
    for line in board.lines:
        if grouped and line.variant != before:
            table.add_section()
        first = [line.variant if line.variant != before else ""] if grouped else []
        rank = "" if line.rank is None else str(line.rank)
        names = [line.name, line.variant] if beside else [line.name]
        cells = (_cell(line, column) for column in columns)
        table.add_row(*first, rank, *names, *cells)
        before = line.variant
    return table


def _cell(line: Line, column: Column) -> str:
    """Return the text of a cell; a line that is not ranked is empty where it has no value."""
    value = line.values.get(column.key)
    return "" if value is None and line.rank is None else column.text(value)


def _explain_shared_ranks(board: Leaderboard, console: Console) -> None:
    by_variant: dict[str, list[int]] = defaultdict(list)
    for line in board.lines:
        if line.rank is not None:
            by_variant[line.variant if board.ranked_by_variant else ""].append(line.rank)
    if any(len(set(ranks)) < len(ranks) for ranks in by_variant.values()):
        text = "Rows share a rank if their 95 % intervals overlap that of the best of them."
        console.print(text, style="dim", highlight=False)
