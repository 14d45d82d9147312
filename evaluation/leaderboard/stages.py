"""Rankings of schedulers and recoveries, stage by stage."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from evaluation.leaderboard.measure import Measure
from evaluation.leaderboard.ranking import Ranking, rank
from evaluation.leaderboard.rows import RankingRow
from evaluation.records.identity import Record


def rank_stages(records: Iterable[Record], measure: Measure) -> dict[str, Ranking]:
    """Return the ranking of every stage, in the order of the records.

    Parameters
    ----------
    records
        Records of one suite. Records without a stage are of stage "".
    measure
        Score that ranks.
    """
    by_stage: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_stage[str(record.get("stage") or "")].append(record)
    return {stage: rank(of_stage, measure) for stage, of_stage in by_stage.items()}


def scenarios(ranking: Ranking) -> tuple[str, ...]:
    """Return the ids of the scenarios that the rows ran on, in order."""
    return tuple(sorted({group["scenario"] for group in ranking.groups})) if ranking.rows else ()


def unranked(ranking: Ranking) -> list[tuple[str, str]]:
    """Return each candidate that is not ranked, with its reasons and the first run of each."""
    by_name: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    ranked = {row.name for row in ranking.rows}
    for run in (*ranking.failures, *ranking.apart):
        if run["name"] not in ranked:
            place = f"{run['scenario']}, seed {run['seed']}"
            by_name[run["name"]][run["reason"]].append(place)
    return [
        (
            name,
            "; ".join(_with_place(reason, sorted(places)) for reason, places in by_reason.items()),
        )
        for name, by_reason in by_name.items()
    ]


def stages_as_dict(rankings: Mapping[str, Ranking]) -> dict[str, Any]:
    """Return the ranking of every stage for JSON; docs/leaderboard.md describes the keys."""
    return {stage: _as_dict(ranking) for stage, ranking in rankings.items()}


def _as_dict(ranking: Ranking) -> dict[str, Any]:
    return {
        "reference": ranking.reference,
        "scenarios": list(scenarios(ranking)),
        "rows": [_row(row) for row in ranking.rows],
        "ties": [asdict(tie) for tie in ranking.ties],
        "unranked": [{"name": name, "reason": reason} for name, reason in unranked(ranking)],
    }


def _row(row: RankingRow) -> dict[str, Any]:
    low, high = row.interval or (None, None)
    return {
        "name": row.name,
        "rank": row.rank,
        "ratio": row.score,
        "low": low,
        "high": high,
        "repetitions": row.repetitions,
        "within_recording": row.within_recording,
        "repetitions_to_separate": row.repetitions_to_separate,
        "means": row.scores,
    }


def _with_place(reason: str, places: list[str]) -> str:
    more = f", and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{reason} ({places[0]}{more})"
