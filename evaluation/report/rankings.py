"""Rankings as a report shows them: of a suite and of each scenario, other groups apart."""

from collections import defaultdict
from dataclasses import dataclass

from evaluation.kinds import KINDS, name_of, named
from evaluation.kinds.columns import COST
from evaluation.kinds.kind import Display
from evaluation.leaderboard import Ranking, RankingRow, rank_stages
from evaluation.leaderboard.comparable import comparable_records
from evaluation.leaderboard.measure import Measure, single_score
from evaluation.records.identity import Identity
from evaluation.report.panel import Record
from evaluation.report.record_display import display_of_all


@dataclass(frozen=True)
class ReportRow:
    """One candidate under one variant.

    Parameters
    ----------
    rank
        1 + the number of rows that are significantly better.
    shared
        Whether another row of the variant's ranking has the same rank.
    candidate, variant
        Name of the candidate, and its dispatcher or stage.
    scores
        Means: over seeds, then over scenarios.
    interval
        95 % confidence interval of the score that ranks; None where a scenario has a single
        observation.
    """

    rank: int
    shared: bool
    candidate: str
    variant: str
    scores: dict[str, float]
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Failure:
    """A candidate that is not scored, with the reason."""

    candidate: str
    variant: str
    scenario: str
    status: str
    reason: str


@dataclass(frozen=True)
class ScenarioRanking:
    """The ranking of a suite, or of one of its scenarios.

    Parameters
    ----------
    scenario
        Its id; empty for the mean over all of the suite.
    rows
        The best first; of schedulers stage by stage.
    """

    scenario: str
    rows: tuple[ReportRow, ...]


@dataclass(frozen=True)
class ReportRankings:
    """All rankings of a suite.

    Parameters
    ----------
    tables
        Of the mean over scenarios, and then of each scenario where there are several.
    failures
        Candidates that are not scored.
    notes
        Candidates without a mean, with the reason.
    """

    tables: tuple[ScenarioRanking, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def split(records: list[Record]) -> tuple[list[Record], list[tuple[str, list[Record]]]]:
    """Return the records of one suite that compare, and those of other groups with the reason.

    Schedulers of one name at two stages are two candidates.
    """
    by_stage: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_stage[str(record.get("stage") or "")].append(record)
    main: list[Record] = []
    apart: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for of_stage in by_stage.values():
        comparable = comparable_records(of_stage, _measure(of_stage, display_of_all(of_stage)))
        main += comparable.records
        for record, reason in (*comparable.apart, *comparable.unscored):
            apart[record["scenario"]["id"], reason].append(record)
    return main, [
        (f"{scenario}: {reason}", own) for (scenario, reason), own in sorted(apart.items())
    ]


def rankings(records: list[Record], kind: Display) -> ReportRankings:
    """Return the rankings of comparable records: of their means, and of each scenario.

    A candidate with a failure under a variant has no row there in the mean; nor has one that did
    not run in all of its scenarios.
    """
    overall = _rank(records, kind)
    names = sorted({record["scenario"]["id"] for record in records})
    by_scenario = [
        ScenarioRanking(name, _rows(_rank(_on_scenario(records, name), kind)))
        for name in (names if len(names) > 1 else ())
    ]
    return ReportRankings(
        (ScenarioRanking("", _rows(overall)), *by_scenario),
        tuple(_failures(overall)),
        tuple(_notes(overall)),
    )


def _on_scenario(records: list[Record], scenario: str) -> list[Record]:
    return [record for record in records if record["scenario"]["id"] == scenario]


def _failures(rankings: dict[str, Ranking]) -> list[Failure]:
    """Return the candidates that are not scored, each once, in order of their names."""
    failures = {
        Failure(
            run["name"], run["dispatcher"] or stage, run["scenario"], run["status"], run["reason"]
        )
        for stage, ranking in rankings.items()
        for run in ranking.failures
    }
    return sorted(
        failures,
        key=lambda failure: (failure.candidate, failure.variant, failure.scenario, failure.reason),
    )


def _notes(rankings: dict[str, Ranking]) -> list[str]:
    """Return the candidates without a mean, with the reason; failures are listed elsewhere."""
    notes = {
        " · ".join(part for part in (run["name"], run["dispatcher"] or stage) if part)
        + f" {run['reason']}"
        for stage, ranking in rankings.items()
        for run in ranking.apart
    }
    return sorted(notes)


def _rank(records: list[Record], kind: Display) -> dict[str, Ranking]:
    """Return the rankings by stage; rows have the labels of their candidates, to find pages by."""
    if not records:
        return {}
    measure = _measure(records, kind)
    name = measure.identity.name
    labelled = [{**record, name: record["candidate"]} for record in records]
    rankings = rank_stages(labelled, measure)
    if all(ranking.apart and not ranking.rows for ranking in rankings.values()):
        # Records from elsewhere may lack what the measure needs: their plain scores are shown then.
        rankings = rank_stages(labelled, single_score(kind.primary.key, measure.identity))
    return dict(sorted(rankings.items()))


def _measure(records: list[Record], kind: Display) -> Measure:
    """Return the measure of the kind, or the plain score that ranks records without one."""
    name = name_of(records[0])
    if name not in KINDS:
        return single_score(kind.primary.key, Identity(kind.field))
    measure = named(name).measure
    if measure.name != kind.primary.key:
        return single_score(kind.primary.key, measure.identity)
    return measure


def _rows(rankings: dict[str, Ranking]) -> tuple[ReportRow, ...]:
    return tuple(
        _row(row, stage, ranking) for stage, ranking in rankings.items() for row in ranking.rows
    )


def _row(row: RankingRow, stage: str, ranking: Ranking) -> ReportRow:
    scores = {key: value for key, value in row.scores.items() if value is not None}
    scores[ranking.measure] = row.score
    if row.cost_ratio is not None:
        scores[COST.key] = row.cost_ratio
    shared = sum(other.rank == row.rank for other in ranking.rows) > 1
    # The ratio of a reference to itself is 1 and needs no interval.
    interval = None if row.name == ranking.reference else row.interval
    return ReportRow(row.rank, shared, row.name, row.dispatcher or stage, scores, interval)
