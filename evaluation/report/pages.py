"""What stands on each page of a report, as plain data for the templates."""

from dataclasses import dataclass
from typing import Any

from evaluation.kinds.kind import Display
from evaluation.leaderboard.column import Column
from evaluation.report import rankings
from evaluation.report.candidate_labels import slug
from evaluation.report.conformance import Conformance, conformance
from evaluation.report.displays import display_of_all
from evaluation.report.docstrings import About, about
from evaluation.report.panel import Panel, Record
from evaluation.report.panels import CANDIDATE, SUITE, panels
from evaluation.report.record_select import finished, variant_of

#: Letters of a reason that are shown; a record may hold a whole traceback.
REASON = 400


@dataclass(frozen=True)
class Cell:
    """One number of a table: as it is read, as it is sorted, and whether it is the best."""

    text: str
    value: float | None
    best: bool = False


@dataclass(frozen=True)
class Bar:
    """An interval as a small bar, in per cent of its column."""

    low: float
    high: float
    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A row of a leaderboard."""

    place: int
    shared: bool
    candidate: str
    page: str
    variant: str
    scenario: str
    cells: tuple[Cell, ...]
    bar: Bar | None


@dataclass(frozen=True)
class Board:
    """A leaderboard: columns, lines of the mean and of every scenario."""

    kind: Display
    lines: tuple[Line, ...]
    scenarios: tuple[str, ...]
    failures: tuple[rankings.Failure, ...]
    notes: tuple[str, ...]

    @property
    def intervals(self) -> bool:
        """Whether any line has an interval."""
        return _intervals(self.lines)


@dataclass(frozen=True)
class Apart:
    """Records that compare with nothing else of their suite."""

    reason: str
    board: Board


@dataclass(frozen=True)
class SuitePage:
    """A suite."""

    id: str
    page: str
    board: Board
    apart: tuple[Apart, ...]
    scenarios: tuple[dict[str, Any], ...]
    seeds: int
    panels: dict[str, Panel]


@dataclass(frozen=True)
class Outcome:
    """A candidate in one scenario, of one suite."""

    suite: str
    page: str
    columns: tuple[Column, ...]
    variant: str
    lines: tuple[Line, ...]
    parameters: tuple[str, ...]

    @property
    def intervals(self) -> bool:
        """Whether any line has an interval."""
        return _intervals(self.lines)


@dataclass(frozen=True)
class CandidatePage:
    """A candidate."""

    name: str
    noun: str
    page: str
    about: About | None
    conformance: Conformance
    outcomes: tuple[Outcome, ...]
    failures: tuple[tuple[str, rankings.Failure], ...]
    panels: dict[str, Panel]


def _intervals(lines: tuple[Line, ...]) -> bool:
    return any(line.bar is not None and line.bar.text for line in lines)


def candidate_page(kind: Display, candidate: str, variant: str) -> str:
    """Return the address of a candidate's page from the root of the report.

    A scheduler's stage is part of who it is, a solver's dispatcher is not.
    """
    stage = f"{slug(variant)}-" if kind.variant == "stage" else ""
    return f"candidates/{slug(kind.noun)}-{stage}{slug(candidate)}.html"


def board(records: list[Record], kind: Display) -> Board:
    """Return the leaderboard of comparable records, of which there may be none."""
    found = rankings.rankings(records, kind)
    lines = [line for table in found.tables for line in _lines(table, kind)]
    names = dict.fromkeys(table.scenario for table in found.tables if table.scenario)
    only = dict.fromkeys(record["scenario"]["id"] for record in records)
    return Board(
        kind,
        tuple(lines),
        tuple(names or only),
        found.failures,
        found.notes,
    )


def _lines(table: rankings.ScenarioRanking, kind: Display) -> list[Line]:
    ends = [end for row in table.rows for end in _ends(row, kind)]
    low, span = min(ends, default=0.0), max(ends, default=0.0) - min(ends, default=0.0)
    best = {column.key: _best(table, column) for column in kind.columns}
    return [
        Line(
            row.rank,
            row.shared,
            row.candidate,
            candidate_page(kind, row.candidate, row.variant),
            row.variant,
            table.scenario,
            tuple(_cell(row.scores.get(one.key), one, best[one.key]) for one in kind.columns),
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


def _cell(value: float | None, column: Column, best: str | None) -> Cell:
    if value is None:
        return Cell("", None)
    text = column.text(value)
    return Cell(text, float(f"{value:.6g}"), text == best)


def _bar(row: rankings.ReportRow, kind: Display, low: float, span: float) -> Bar:
    def across(value: float) -> float:
        return round(100 * (value - low) / span, 1) if span else 50.0

    middle = row.scores[kind.primary.key]
    if row.interval is None:
        return Bar(across(middle), across(middle), across(middle), "")
    left, right = row.interval
    text = f"{kind.primary.text(left)} to {kind.primary.text(right)}"
    return Bar(across(left), across(right), across(middle), text)


def suite_page(suite: str, records: list[Record]) -> SuitePage:
    """Return the page of a suite: its leaderboard, groups apart, and panels."""
    points = [one for one in records if "anytime" in one]
    main, others = rankings.split([one for one in records if "anytime" not in one])
    scenarios = {one["scenario"]["id"]: one["scenario"] for one in main}
    kind = display_of_all(finished(main) or records)
    return SuitePage(
        suite,
        f"suites/{slug(suite)}.html",
        board(main, kind),
        tuple(Apart(reason, board(mine, kind)) for reason, mine in others),
        tuple(scenarios[name] for name in sorted(scenarios)),
        len({str(one.get("seed")) for one in main}),
        panels(SUITE, [*main, *points]),
    )


def candidate_pages(
    suites: dict[str, SuitePage], records: list[Record], check: bool
) -> list[CandidatePage]:
    """Return a page for each candidate, over all suites."""
    mine: dict[str, tuple[Display, str, list[Record]]] = {}
    for record in records:
        kind = suites[record["suite"]].board.kind
        page = candidate_page(kind, record["candidate"], variant_of(record))
        mine.setdefault(page, (kind, record["candidate"], []))[2].append(record)
    return [_candidate(page, *mine[page], suites, check) for page in sorted(mine)]


def _candidate(
    page: str,
    kind: Display,
    name: str,
    records: list[Record],
    suites: dict[str, SuitePage],
    check: bool,
) -> CandidatePage:
    own_file = any(record.get(f"{kind.field}_file") for record in records)
    stage = variant_of(records[0]) if kind.variant == "stage" else ""
    known = None if own_file else about(kind.registry(stage), name.partition("~")[0])
    outcomes, failures = [], []
    for suite in dict.fromkeys(record["suite"] for record in records):
        shown = suites[suite]
        lines = tuple(line for line in shown.board.lines if line.page == page)
        alike = [record for record in records if record["suite"] == suite]
        outcomes.append(
            Outcome(
                suite,
                shown.page,
                shown.board.kind.columns,
                shown.board.kind.variant,
                lines,
                _parameters(alike),
            )
        )
        failures += [
            (suite, one)
            for one in shown.board.failures
            if candidate_page(kind, one.candidate, one.variant) == page
        ]
    return CandidatePage(
        name,
        kind.noun if kind.noun.startswith(stage) else f"{stage} {kind.noun}",
        page,
        known,
        conformance(name, kind.noun, known, records, check),
        tuple(outcomes),
        tuple(failures),
        panels(CANDIDATE, records),
    )


def _parameters(records: list[Record]) -> tuple[str, ...]:
    """Return parameters as ``name = value``; of several values all, the seeds apart."""
    found: dict[str, dict[str, None]] = {}
    for record in (one for one in records if "anytime" not in one):
        for key, value in record.get("parameters", {}).items():
            if key != "seed":
                found.setdefault(str(key), {})[str(value)[:200]] = None
    seeds = sorted({str(record.get("seed")) for record in records if "seed" in record})
    texts = [f"{key} = {', '.join(values)}" for key, values in sorted(found.items())]
    return (
        (*texts, f"{'seeds' if len(seeds) > 1 else 'seed'} {', '.join(seeds)}")
        if seeds
        else (tuple(texts))
    )
