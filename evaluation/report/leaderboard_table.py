"""Leaderboards of a report as plain data for the templates."""

from dataclasses import dataclass

from evaluation.kinds.kind import Display
from evaluation.leaderboard.column import Column
from evaluation.report import rankings
from evaluation.report.candidate_labels import slug
from evaluation.report.panel import Record


@dataclass(frozen=True)
class TableCell:
    """One number of a table: its text, the value to sort by, and whether it is the best."""

    text: str
    value: float | None
    best: bool = False


@dataclass(frozen=True)
class IntervalBar:
    """An interval as a small bar, in per cent of its column."""

    low: float
    high: float
    at: float
    text: str


@dataclass(frozen=True)
class LeaderboardLine:
    """A row of a leaderboard."""

    place: int
    shared: bool
    candidate: str
    page: str
    variant: str
    scenario: str
    cells: tuple[TableCell, ...]
    bar: IntervalBar | None


@dataclass(frozen=True)
class LeaderboardTable:
    """A leaderboard: its columns, and the lines of the mean and of every scenario."""

    kind: Display
    lines: tuple[LeaderboardLine, ...]
    scenarios: tuple[str, ...]
    failures: tuple[rankings.Failure, ...]
    notes: tuple[str, ...]

    @property
    def intervals(self) -> bool:
        """Whether any line has an interval."""
        return have_intervals(self.lines)


def have_intervals(lines: tuple[LeaderboardLine, ...]) -> bool:
    """Return whether any line has an interval."""
    return any(line.bar is not None and line.bar.text for line in lines)


def candidate_address(kind: Display, candidate: str, variant: str) -> str:
    """Return the address of a candidate's page from the root of the report.

    A scheduler has a page for each stage; a solver has one page for all dispatchers.
    """
    stage = f"{slug(variant)}-" if kind.variant == "stage" else ""
    return f"candidates/{slug(kind.noun)}-{stage}{slug(candidate)}.html"


def leaderboard_table(records: list[Record], kind: Display) -> LeaderboardTable:
    """Return the leaderboard of comparable records, of which there may be none."""
    ranked = rankings.rankings(records, kind)
    lines = [line for table in ranked.tables for line in _lines(table, kind)]
    scenarios = dict.fromkeys(table.scenario for table in ranked.tables if table.scenario)
    # a single scenario has no table of its own
    scenarios = scenarios or dict.fromkeys(record["scenario"]["id"] for record in records)
    return LeaderboardTable(kind, tuple(lines), tuple(scenarios), ranked.failures, ranked.notes)


def _lines(table: rankings.ScenarioRanking, kind: Display) -> list[LeaderboardLine]:
    ends = [end for row in table.rows for end in _ends(row, kind)]
    low, span = min(ends, default=0.0), max(ends, default=0.0) - min(ends, default=0.0)
    best = {column.key: _best(table, column) for column in kind.columns}
    return [
        LeaderboardLine(
            row.rank,
            row.shared,
            row.candidate,
            candidate_address(kind, row.candidate, row.variant),
            row.variant,
            table.scenario,
            tuple(
                _cell(row.scores.get(column.key), column, best[column.key])
                for column in kind.columns
            ),
            _bar(row, kind, low, span),
        )
        for row in table.rows
    ]


def _ends(row: rankings.ReportRow, kind: Display) -> tuple[float, ...]:
    return (row.scores[kind.primary.key], *(row.interval or ()))


def _best(table: rankings.ScenarioRanking, column: Column) -> str | None:
    values = [row.scores[column.key] for row in table.rows if column.key in row.scores]
    if column.better == 0 or len(values) < 2:
        return None
    return column.text(max(values) if column.better > 0 else min(values))


def _cell(value: float | None, column: Column, best: str | None) -> TableCell:
    if value is None:
        return TableCell("", None)
    text = column.text(value)
    return TableCell(text, float(f"{value:.6g}"), text == best)


def _bar(row: rankings.ReportRow, kind: Display, low: float, span: float) -> IntervalBar:
    def across(value: float) -> float:
        return round(100 * (value - low) / span, 1) if span else 50.0

    middle = row.scores[kind.primary.key]
    if row.interval is None:
        return IntervalBar(across(middle), across(middle), across(middle), "")
    left, right = row.interval
    text = f"{kind.primary.text(left)} to {kind.primary.text(right)}"
    return IntervalBar(across(left), across(right), across(middle), text)
