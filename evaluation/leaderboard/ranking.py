"""The ranking of a suite: a pure function of records."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.leaderboard.comparable import ComparableRecords, comparable_records
from evaluation.leaderboard.curves import anytime_curves
from evaluation.leaderboard.measure import Measure
from evaluation.leaderboard.rows import RankingRow, ScoredRuns, ranked_rows
from evaluation.leaderboard.ties import Tie
from evaluation.records.identity import CandidateId, Identity, Record, ScenarioTrace


@dataclass(frozen=True)
class Ranking:
    """Ranked rows, failures, and what does not compare.

    Parameters
    ----------
    suite, kind, measure
        Id and kind of the suite, and the score that ranks.
    rows
        The best first.
    failures
        Runs that failed or gave an infeasible answer: name, dispatcher, scenario, seed, status and
        reason. Their candidates are not ranked.
    apart
        Runs that do not compare, or whose candidate did not run everywhere: name, dispatcher,
        scenario, seed, reason.
    groups
        Comparability groups: suite, scenario, trace seed, trace hash, fabric hash, and records.
    curves
        Solver to its quality for each budget: scenario, parameter, value, ratio, balancedness.
    reference
        Name of the candidate whose ratio is 1; empty where scores are relative to none.
    ties
        Pairs of rows that are not separated.
    """

    suite: str
    kind: str
    measure: str
    rows: list[RankingRow] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    apart: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reference: str = ""
    ties: list[Tie] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the ranking for JSON; the keys are described in docs/leaderboard.md."""
        fields = asdict(self)
        for row in fields["rows"]:
            # Rows once had a second interval, for comparing them, beside the one of the row alone.
            row["alone"] = row["interval"]
        if not self.reference:
            del fields["reference"]
        return fields


def rank(
    records: Iterable[Record],
    measure: Measure,
    wanted: Collection[tuple[str, str]] | None = None,
) -> Ranking:
    """Rank records of one suite.

    A candidate is not ranked if it failed anywhere, gave an infeasible answer, or did not run on
    all traces.

    Parameters
    ----------
    records
        Records of schema 2, of one kind and, where the measure has a reference, of one stage.
    measure
        Score that ranks.
    wanted
        (scenario, dispatcher) of a whole run. A candidate must have run in all scenarios of its
        dispatcher, on all of their traces, to be ranked; by default in those of the records.

    Raises
    ------
    ValueError
        If records of several kinds or stages are mixed.
    """
    records = list(records)
    plain = [record for record in records if "anytime" not in record]
    kind = _only_value(plain, "kind")
    _only_value(plain, "stage")
    identity = measure.identity
    comparable = comparable_records(plain, measure)
    suite = str((comparable.records or plain or [{"suite": ""}])[0]["suite"])
    required = _required_traces(comparable, identity, wanted)
    complete, partial = _by_completeness(comparable, identity, required)
    rows, ties = ranked_rows(_scored_runs(comparable, complete, identity), measure)
    return Ranking(
        suite,
        kind,
        measure.name,
        rows,
        _failures(comparable, identity),
        _apart(comparable, partial, required, identity),
        _groups(comparable, suite, identity),
        anytime_curves(record for record in records if "anytime" in record),
        measure.reference(plain),
        ties,
    )


def _by_completeness(
    comparable: ComparableRecords, identity: Identity, required: dict[str, set[ScenarioTrace]]
) -> tuple[set[CandidateId], dict[CandidateId, list[Record]]]:
    """Return the candidates that ran on all required traces, and the runs of those that did not.

    Candidates that failed anywhere are in neither.
    """
    runs: dict[CandidateId, list[Record]] = defaultdict(list)
    for record in comparable.records:
        runs[identity.candidate(record)].append(record)
    failed = _failed_candidates(runs)
    complete, partial = set(), {}
    for candidate, own in runs.items():
        if candidate in failed:
            continue
        if required[candidate.dispatcher] <= {identity.trace(record) for record in own}:
            complete.add(candidate)
        else:
            partial[candidate] = own
    return complete, partial


def _only_value(records: list[Record], key: str) -> str:
    """Return the one value that all records have; empty where they have none."""
    values = {str(record.get(key) or "") for record in records} or {""}
    if len(values) > 1:
        raise ValueError(f"records of {key} {', '.join(sorted(values))}: rank one {key} at a time")
    return values.pop()


def _failed_candidates(runs: dict[CandidateId, list[Record]]) -> set[CandidateId]:
    """Return the candidates that failed anywhere.

    The record of a candidate that could not be made has no parameters. It takes out all candidates
    of its name, dispatcher and file.
    """
    failed = {
        candidate
        for candidate, own in runs.items()
        if any(record["status"] != "ok" for record in own)
    }
    unmade = {candidate[:3] for candidate in failed if not candidate.parameters}
    return failed | {candidate for candidate in runs if candidate[:3] in unmade}


def _required_traces(
    comparable: ComparableRecords, identity: Identity, wanted: Collection[tuple[str, str]] | None
) -> dict[str, set[ScenarioTrace]]:
    """Return by dispatcher the traces on which a candidate must have run."""
    required: dict[str, set[ScenarioTrace]] = defaultdict(set)
    for record in comparable.records:
        required[identity.candidate(record).dispatcher].add(identity.trace(record))
    for scenario, dispatcher in wanted or ():
        if all(trace.scenario != scenario for trace in required[dispatcher]):
            required[dispatcher].add(ScenarioTrace(scenario, None))
    return required


def _scored_runs(
    comparable: ComparableRecords, complete: set[CandidateId], identity: Identity
) -> dict[CandidateId, ScoredRuns]:
    """Return the runs of the candidates that are ranked, with what their scores are made of."""
    scored: dict[CandidateId, ScoredRuns] = defaultdict(list)
    for record, parts in zip(comparable.records, comparable.parts, strict=True):
        candidate = identity.candidate(record)
        if candidate in complete and parts is not None:
            scored[candidate].append((record, parts))
    return scored


def _failures(comparable: ComparableRecords, identity: Identity) -> list[dict[str, Any]]:
    """Return the runs that failed or gave an infeasible answer."""
    return [
        _run(record, identity, status=record["status"], reason=_reason(record))
        for record in comparable.records
        if record["status"] != "ok"
    ]


def _apart(
    comparable: ComparableRecords,
    partial: dict[CandidateId, list[Record]],
    required: dict[str, set[ScenarioTrace]],
    identity: Identity,
) -> list[dict[str, Any]]:
    """Return runs that are not ranked though they ended well, each with the reason."""
    apart = [
        _run(record, identity, reason=reason)
        for record, reason in (*comparable.apart, *comparable.unscored)
    ]
    # A run without a score is the reason why the other runs of its candidate are not ranked.
    unscored = {identity.candidate(record) for record, _ in comparable.unscored}
    for candidate, own in partial.items():
        if candidate in unscored:
            continue
        ran = len({identity.trace(record) for record in own})
        reason = f"ran on {ran} of {len(required[candidate.dispatcher])} traces"
        apart += [_run(record, identity, reason=reason) for record in own]
    return apart


def _run(record: Record, identity: Identity, **more: Any) -> dict[str, Any]:
    candidate = identity.candidate(record)
    return {
        "name": candidate.name,
        "dispatcher": candidate.dispatcher,
        "scenario": record["scenario"]["id"],
        "seed": record.get("seed"),
        **more,
    }


def _reason(record: Record) -> str:
    return str(record.get("reason") or "no reason")


def _groups(comparable: ComparableRecords, suite: str, identity: Identity) -> list[dict[str, Any]]:
    count: dict[ScenarioTrace, int] = defaultdict(int)
    for record in comparable.records:
        count[identity.trace(record)] += 1
    return [
        {
            "suite": suite,
            "scenario": trace.scenario,
            "trace_seed": trace.trace_seed,
            "trace_hash": hashes[0],
            "fabric_hash": hashes[1],
            "records": count[trace],
        }
        for trace, hashes in comparable.groups.items()
    ]
