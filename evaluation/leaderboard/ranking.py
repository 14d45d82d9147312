"""The ranking of a suite: a pure function of records."""

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from evaluation.leaderboard.comparable import Compared, compare
from evaluation.leaderboard.curves import anytime_curves
from evaluation.leaderboard.identity import CandidateId, Identity, Record, ScenarioTrace
from evaluation.leaderboard.measure import Measure
from evaluation.leaderboard.rows import Row, ScoredRuns, ranked_rows


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
    """

    suite: str
    kind: str
    measure: str
    rows: list[Row] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    apart: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reference: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the ranking for JSON; the keys are described in docs/leaderboard.md."""
        whole = dataclasses.asdict(self)
        if not self.reference:
            del whole["reference"]
        return whole


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
    everything = list(records)
    plain = [record for record in everything if "anytime" not in record]
    kind = _only(plain, "kind")
    _only(plain, "stage")
    identity = measure.identity
    compared = compare(plain, measure)
    suite = str((compared.records or plain or [{"suite": ""}])[0]["suite"])
    runs: dict[CandidateId, list[Record]] = defaultdict(list)
    for record in compared.records:
        runs[identity.candidate(record)].append(record)
    failed = _failed(runs)
    whole = _whole(compared, identity, wanted)
    complete = {
        candidate
        for candidate, own in runs.items()
        if candidate not in failed
        and whole[candidate.dispatcher] <= {identity.trace(record) for record in own}
    }
    partial = {one: own for one, own in runs.items() if one not in complete | failed}
    return Ranking(
        suite,
        kind,
        measure.name,
        ranked_rows(_scored(compared, complete, identity), measure),
        [
            _run(record, identity, status=record["status"], reason=_reason(record))
            for record in compared.records
            if record["status"] != "ok"
        ],
        _apart(compared, partial, whole, identity),
        _groups(compared, suite, identity),
        anytime_curves(record for record in everything if "anytime" in record),
        measure.reference(plain),
    )


def _only(records: list[Record], key: str) -> str:
    """Return the one value that all records have; empty where they have none."""
    values = {str(record.get(key) or "") for record in records} or {""}
    if len(values) > 1:
        raise ValueError(f"records of {key} {', '.join(sorted(values))}: rank one {key} at a time")
    return values.pop()


def _failed(runs: dict[CandidateId, list[Record]]) -> set[CandidateId]:
    """Return the candidates that failed anywhere.

    The record of a candidate that could not be made has no parameters. It takes out all candidates
    of its name, dispatcher and file.
    """
    bad = {
        candidate
        for candidate, own in runs.items()
        if any(record["status"] != "ok" for record in own)
    }
    unmade = {candidate[:3] for candidate in bad if not candidate.parameters}
    return bad | {candidate for candidate in runs if candidate[:3] in unmade}


def _whole(
    compared: Compared, identity: Identity, wanted: Collection[tuple[str, str]] | None
) -> dict[str, set[ScenarioTrace]]:
    """Return by dispatcher the traces on which a candidate must have run."""
    whole: dict[str, set[ScenarioTrace]] = defaultdict(set)
    for record in compared.records:
        whole[identity.candidate(record).dispatcher].add(identity.trace(record))
    for scenario, dispatcher in wanted or ():
        if all(trace.scenario != scenario for trace in whole[dispatcher]):
            whole[dispatcher].add(ScenarioTrace(scenario, None))
    return whole


def _scored(
    compared: Compared, complete: set[CandidateId], identity: Identity
) -> dict[CandidateId, ScoredRuns]:
    """Return the runs of the candidates that are ranked, with what their scores are made of."""
    scored: dict[CandidateId, ScoredRuns] = defaultdict(list)
    for record, parts in zip(compared.records, compared.parts, strict=True):
        candidate = identity.candidate(record)
        if candidate in complete and parts is not None:
            scored[candidate].append((record, parts))
    return scored


def _apart(
    compared: Compared,
    partial: dict[CandidateId, list[Record]],
    whole: dict[str, set[ScenarioTrace]],
    identity: Identity,
) -> list[dict[str, Any]]:
    """Return runs that are not ranked though they ended well, each with the reason."""
    apart = [
        _run(record, identity, reason=reason)
        for record, reason in (*compared.apart, *compared.unscored)
    ]
    # A run without a score is the reason why the other runs of its candidate are not ranked.
    unscored = {identity.candidate(record) for record, _ in compared.unscored}
    for candidate, own in partial.items():
        if candidate in unscored:
            continue
        ran = len({identity.trace(record) for record in own})
        reason = f"ran on {ran} of {len(whole[candidate.dispatcher])} traces"
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


def _groups(compared: Compared, suite: str, identity: Identity) -> list[dict[str, Any]]:
    count: dict[ScenarioTrace, int] = defaultdict(int)
    for record in compared.records:
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
        for trace, hashes in compared.groups.items()
    ]
