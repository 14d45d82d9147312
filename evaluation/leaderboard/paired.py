"""Scores of schedulers beside a reference on the same seeds: a pure function of records."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.mean_interval import bootstrap_interval, shared_ranks

#: Without these, in seconds and tokens, a run cannot be compared.
NEEDED = {
    "goodput": "no request kept the SLO",
    "ttft_p99_s": "no request has a first token",
    "tpot_p99_s": "no request has a time per output token",
}
#: Scenario and seed.
Cell = tuple[str, int]


@dataclass(frozen=True)
class Row:
    """One scheduler that is ranked.

    Parameters
    ----------
    name
        Of the scheduler.
    rank
        From 1; shared by those that cannot be told apart.
    ratio, low, high
        Geometric mean of goodput over that of the reference, and its interval at 95 %.
    means
        Arithmetic means of all scores, scenarios alike; None where a run has no value.
    """

    name: str
    rank: int
    ratio: float
    low: float
    high: float
    means: dict[str, float | None]


@dataclass(frozen=True)
class StageRanking:
    """All schedulers of a stage.

    Parameters
    ----------
    reference
        Name of the scheduler that has ratio 1.
    rows
        The best first.
    unranked
        Name and reason of the others.
    scenarios
        Ids of those that the rows were played on.
    """

    reference: str
    rows: list[Row] = field(default_factory=list)
    unranked: list[tuple[str, str]] = field(default_factory=list)
    scenarios: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON; an interval without end as null, as one seed alone has it."""
        rows = [asdict(row) for row in self.rows]
        for row in rows:
            if not math.isfinite(row["high"]):
                row |= {"low": None, "high": None}
        unranked = [{"name": name, "reason": reason} for name, reason in self.unranked]
        return {
            "reference": self.reference,
            "scenarios": list(self.scenarios),
            "rows": rows,
            "unranked": unranked,
        }


def ranked(found: Iterable[dict[str, Any]]) -> dict[str, StageRanking]:
    """Return the ranking of every stage.

    A score is the geometric mean, over scenarios and seeds, of goodput over the reference's on the
    same scenario and seed. Its interval draws seeds anew within each scenario: it speaks of other
    traffic on these scenarios, and of no others.

    Parameters
    ----------
    found
        Records of :class:`evaluation.kinds.scheduler.ServingTask`. A scheduler must have played
        every cell of scenario and seed that any of its stage did, with a goodput, to be ranked.
    """
    stages: dict[str, dict[str, dict[Cell, dict[str, Any]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    reference: dict[str, str] = {}
    for record in found:
        cell = record["scenario"]["id"], record["seed"]
        stages[record["stage"]][record["solver"]][cell] = record
        reference[record["stage"]] = record["reference"]
    return {stage: _stage(runs, reference[stage]) for stage, runs in stages.items()}


def _stage(runs: dict[str, dict[Cell, dict[str, Any]]], reference: str) -> StageRanking:
    cells = sorted({cell for mine in runs.values() for cell in mine})
    reasons = {name: _reason(mine, cells) for name, mine in runs.items()}
    if reference not in runs or reasons[reference]:
        lacking = reasons.get(reference) or "not run"
        everyone = f"nothing to compare with: reference {reference}: {lacking}"
        return StageRanking(
            reference, [], [(name, why or everyone) for name, why in reasons.items()]
        )
    names = [name for name, reason in reasons.items() if reason is None]
    goodput = np.array(
        [[runs[name][cell]["scores"]["goodput"] for cell in cells] for name in names]
    )
    strata = [scenario for scenario, _ in cells]
    scenarios = tuple(dict.fromkeys(strata))
    # scenarios count alike, also where an interrupted run has fewer seeds of one
    weight = [len(cells) / len(scenarios) / strata.count(name) for name in strata]
    logs = np.log(goodput / goodput[names.index(reference)]) * weight
    score = logs.mean(axis=1)
    low, high = _interval(logs, strata)
    ranks = shared_ranks(low, high, score)
    rows = [
        Row(
            name,
            int(ranks[at]),
            math.exp(score[at]),
            math.exp(low[at]),
            math.exp(high[at]),
            _means([runs[name][cell]["scores"] for cell in cells]),
        )
        for at, name in enumerate(names)
    ]
    rows.sort(key=lambda row: (row.rank, -row.ratio, row.name))
    unranked = [(name, reason) for name, reason in reasons.items() if reason]
    return StageRanking(reference, rows, unranked, scenarios)


def _reason(mine: dict[Cell, dict[str, Any]], cells: Sequence[Cell]) -> str | None:
    """Return why a scheduler cannot be ranked; None if it can."""
    where: dict[str, list[str]] = defaultdict(list)
    for scenario, seed in cells:
        record = mine.get((scenario, seed))
        why: str | None = "not run"
        if record is not None:
            why = record["reason"] if record["status"] != "ok" else _lacking(record["scores"])
        if why:
            where[why].append(f"{scenario} (seed {seed})")
    if not where:
        return None
    return "; ".join(
        f"{why}, on {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for why, places in where.items()
    )


def _lacking(scores: dict[str, float | None]) -> str | None:
    return next((why for name, why in NEEDED.items() if not scores[name]), None)


def _interval(
    logs: NDArray[np.float64], strata: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the interval of each row; without end where a scenario has a single seed."""
    if min(strata.count(name) for name in strata) < 2:
        endless = np.full(len(logs), np.inf)
        return -endless, endless
    return bootstrap_interval(logs, strata=strata)


def _means(scores: list[dict[str, float | None]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for key in scores[0]:
        known = [one[key] for one in scores]
        values = [value for value in known if value is not None]
        means[key] = float(np.mean(values)) if len(values) == len(known) else None
    return means
