"""The pages of candidates as plain data for the template."""

from dataclasses import dataclass

from evaluation.leaderboard.column import Column
from evaluation.report.candidate_docs import CandidateDocs, candidate_docs
from evaluation.report.conformance import Conformance, conformance
from evaluation.report.leaderboard_table import (
    LeaderboardLine,
    candidate_address,
    have_intervals,
)
from evaluation.report.panel import Panel, Record
from evaluation.report.panel_data import variant_of
from evaluation.report.panels import CANDIDATE, panels
from evaluation.report.rankings import Failure
from evaluation.report.suite_page import SuitePage


@dataclass(frozen=True)
class SuiteScores:
    """Scores of a candidate in one suite."""

    suite: str
    page: str
    columns: tuple[Column, ...]
    variant: str
    lines: tuple[LeaderboardLine, ...]
    parameters: tuple[str, ...]

    @property
    def intervals(self) -> bool:
        """Whether any line has an interval."""
        return have_intervals(self.lines)


@dataclass(frozen=True)
class CandidatePage:
    """A candidate: its documentation, conformance, scores, failures and panels."""

    name: str
    noun: str
    page: str
    docs: CandidateDocs | None
    conformance: Conformance
    scores: tuple[SuiteScores, ...]
    failures: tuple[tuple[str, Failure], ...]
    panels: dict[str, Panel]


def candidate_pages(
    suites: dict[str, SuitePage], records: list[Record], check: bool
) -> list[CandidatePage]:
    """Return a page for each candidate, over all suites.

    Parameters
    ----------
    suites
        Pages of the suites, by id.
    records
        All records, each with the label ``candidate``.
    check
        Whether to check the conformance of registered solvers now.
    """
    by_page: dict[str, list[Record]] = {}
    for record in records:
        kind = suites[record["suite"]].table.kind
        page = candidate_address(kind, record["candidate"], variant_of(record))
        by_page.setdefault(page, []).append(record)
    return [_candidate_page(page, by_page[page], suites, check) for page in sorted(by_page)]


def _candidate_page(
    page: str, records: list[Record], suites: dict[str, SuitePage], check: bool
) -> CandidatePage:
    own_suites = [suites[suite] for suite in dict.fromkeys(record["suite"] for record in records)]
    kind, name = own_suites[0].table.kind, records[0]["candidate"]
    own_file = any(record.get(f"{kind.field}_file") for record in records)
    stage = variant_of(records[0]) if kind.variant == "stage" else ""
    # a label may end in ~ and a hash
    docs = None if own_file else candidate_docs(kind.registry(stage), name.partition("~")[0])
    return CandidatePage(
        name,
        kind.noun if kind.noun.startswith(stage) else f"{stage} {kind.noun}",
        page,
        docs,
        conformance(name, kind.noun, docs, records, check),
        tuple(_suite_scores(page, suite, records) for suite in own_suites),
        tuple((suite.id, failure) for suite in own_suites for failure in _failures(page, suite)),
        panels(CANDIDATE, records),
    )


def _suite_scores(page: str, suite: SuitePage, records: list[Record]) -> SuiteScores:
    return SuiteScores(
        suite.id,
        suite.page,
        suite.table.kind.columns,
        suite.table.kind.variant,
        tuple(line for line in suite.table.lines if line.page == page),
        _parameters([record for record in records if record["suite"] == suite.id]),
    )


def _failures(page: str, suite: SuitePage) -> list[Failure]:
    return [
        failure
        for failure in suite.table.failures
        if candidate_address(suite.table.kind, failure.candidate, failure.variant) == page
    ]


def _parameters(records: list[Record]) -> tuple[str, ...]:
    """Return parameters as ``name = values``, and the seeds."""
    values: dict[str, dict[str, None]] = {}
    for record in records:
        if "anytime" in record:
            continue
        for key, value in record.get("parameters", {}).items():
            if key != "seed":
                values.setdefault(str(key), {})[str(value)[:200]] = None
    texts = [f"{key} = {', '.join(each)}" for key, each in sorted(values.items())]
    if seeds := sorted({str(record.get("seed")) for record in records if "seed" in record}):
        texts.append(f"{'seeds' if len(seeds) > 1 else 'seed'} {', '.join(seeds)}")
    return tuple(texts)
