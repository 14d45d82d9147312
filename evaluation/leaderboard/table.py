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
class TableLine:
    """A line of the table.

    Parameters
    ----------
    rank
        None for a line that is not ranked and comes below the others.
    name, variant
        Name of the candidate, and its dispatcher or stage.
    values
        Values by the key of their column.
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
    """Contents of the table.

    Parameters
    ----------
    noun, variant
        What the candidates are ("solver"), and what else varies ("dispatcher", "stage", or "").
    columns
        The first one ranks.
    lines
        The best first; where ranks hold within one variant, variant by variant.
    notes
        Candidates that are not ranked, with the reason.
    """

    noun: str
    variant: str
    columns: tuple[Column, ...]
    lines: tuple[TableLine, ...]
    notes: tuple[Note, ...] = ()

    @property
    def ranked_by_variant(self) -> bool:
        """Whether ranks hold within one variant alone."""
        return self.columns[0].within_variant


def render(board: Leaderboard, title: str, console: Console) -> bool:
    """Print the table and the notes; return whether any candidate is ranked."""
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
    shown = [column for column in board.columns if column.terminal and column.scenarios != unfit]
    hidden: list[Column] = []
    while True:
        table = _table(board, shown, title)
        unlimited = console.options.update(width=WIDTH * 2)
        optional = [column for column in shown if column.hide]
        if table.__rich_measure__(console, unlimited).maximum <= console.width or not optional:
            return table, hidden
        hidden.append(max(optional, key=lambda column: column.hide))
        shown.remove(hidden[-1])


def _table(board: Leaderboard, columns: Sequence[Column], title: str) -> Table:
    grouped = board.ranked_by_variant
    several_variants = not grouped and len({line.variant for line in board.lines if line.rank}) > 1
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
    if grouped:
        table.add_column(f"\n{board.variant}", no_wrap=True)
    table.add_column("\n#", justify="right", no_wrap=True)
    table.add_column(f"\n{board.noun}", no_wrap=True)
    if several_variants:
        table.add_column(f"\n{board.variant}", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    previous = None
    for line in board.lines:
        if grouped and line.variant != previous:
            table.add_section()
        first = [line.variant if line.variant != previous else ""] if grouped else []
        rank = "" if line.rank is None else str(line.rank)
        names = [line.name, line.variant] if several_variants else [line.name]
        cells = (_cell(line, column) for column in columns)
        table.add_row(*first, rank, *names, *cells)
        previous = line.variant
    return table


def _cell(line: TableLine, column: Column) -> str:
    """Return the text of a cell; a line that is not ranked is empty where it has no value."""
    value = line.values.get(column.key)
    return "" if value is None and line.rank is None else column.text(value)


def _explain_shared_ranks(board: Leaderboard, console: Console) -> None:
    by_variant: dict[str, list[int]] = defaultdict(list)
    for line in board.lines:
        if line.rank is not None:
            by_variant[line.variant if board.ranked_by_variant else ""].append(line.rank)
    if any(len(set(ranks)) < len(ranks) for ranks in by_variant.values()):
        text = "A rank is 1 + the number of rows that are significantly better."
        console.print(text, style="dim", highlight=False)
