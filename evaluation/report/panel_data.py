"""Data for panels: finished records by scenario, variant and candidate, their means and colours."""

import statistics
from collections import defaultdict
from collections.abc import Iterable

from evaluation.report.panel import Record
from evaluation.report.record_display import display_of_all, score
from evaluation.report.theme import COLOURS, FAINT

#: Number of candidates that have a colour; the others are grey.
COLOURED = 7

#: A scenario and a variant.
ScenarioVariant = tuple[str, str]


def finished(records: Iterable[Record], *fields: str) -> list[Record]:
    """Return the records with status "ok" whose ``fields`` are not empty.

    Points of anytime curves are left out.
    """
    return [
        record
        for record in records
        if record["status"] == "ok"
        and "anytime" not in record
        and all(record.get(field) for field in fields)
    ]


def variant_of(record: Record) -> str:
    """Return the dispatcher of a record, or its stage; empty if it has neither."""
    return str(record.get("dispatcher") or record.get("stage") or "")


def order(records: list[Record]) -> list[str]:
    """Return the candidates by the mean of the score that ranks, the best first."""
    if not records:
        return []
    primary = display_of_all(records).primary
    costs: dict[str, list[float]] = defaultdict(list)
    for record in records:
        value = score(record, primary.key)
        if value is not None:
            costs[record["candidate"]].append(-primary.better * value)
    return sorted(costs, key=lambda name: (statistics.fmean(costs[name]), name))


def colours(records: list[Record]) -> dict[str, str]:
    """Return a colour of each candidate of a suite, the same in all of its plots."""
    faint = {record["candidate"]: FAINT for record in records}
    return faint | dict(zip(order(finished(records))[:COLOURED], COLOURS, strict=False))


def by_scenario(records: list[Record]) -> dict[ScenarioVariant, dict[str, list[Record]]]:
    """Return records by (scenario, variant), and there by candidate, the best first."""
    rank = {name: place for place, name in enumerate(order(records))}
    grouped: dict[ScenarioVariant, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        grouped[record["scenario"]["id"], variant_of(record)][record["candidate"]].append(record)
    last = len(rank)
    return {
        key: dict(sorted(grouped[key].items(), key=lambda item: rank.get(item[0], last)))
        for key in sorted(grouped)
    }


def mean(records: Iterable[Record], key: str) -> float | None:
    """Return the mean of a score over records that have it."""
    values = [value for record in records if (value := score(record, key)) is not None]
    return statistics.fmean(values) if values else None


def mean_list(records: list[Record], field: str, key: str) -> list[float]:
    """Return the mean over records of a list of numbers, as long as the shortest of them."""
    lists = [record[field][key] for record in records if key in record.get(field, {})]
    return [statistics.fmean(values) for values in zip(*lists, strict=False)]


def lines(candidates: dict[str, list[Record]], field: str, key: str) -> dict[str, list[float]]:
    """Return the mean list of each candidate; a list needs at least two numbers."""
    means = {name: mean_list(records, field, key) for name, records in candidates.items()}
    return {name: values for name, values in means.items() if len(values) > 1}


def over_scenarios(
    records: list[Record], keys: tuple[str, ...]
) -> dict[tuple[str, str], dict[str, float]]:
    """Return means of scores by (candidate, variant), for those that ran on every scenario.

    Each scenario has the same weight, whatever its number of seeds.
    """
    scenarios: dict[str, set[str]] = defaultdict(set)
    runs: dict[tuple[str, str], dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        scenario, variant = record["scenario"]["id"], variant_of(record)
        scenarios[variant].add(scenario)
        runs[record["candidate"], variant][scenario].append(record)
    table: dict[tuple[str, str], dict[str, float]] = {}
    for pair, of_pair in runs.items():
        if set(of_pair) != scenarios[pair[1]]:
            continue
        row: dict[str, float] = {}
        for key in keys:
            means = [mean(of_scenario, key) for of_scenario in of_pair.values()]
            known = [value for value in means if value is not None]
            if len(known) == len(means):
                row[key] = statistics.fmean(known)
        table[pair] = row
    return table
