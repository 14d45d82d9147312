"""Records picked and averaged for a plot: finished ones, by scenario, variant and candidate."""

import statistics
from collections import defaultdict
from collections.abc import Iterable

from evaluation.report.displays import display_of_all, score
from evaluation.report.panel import Record
from evaluation.report.theme import COLOURS, FAINT

#: Candidates that have a colour; the others are there for comparison.
COLOURED = 7

Place = tuple[str, str]


def finished(records: Iterable[Record], *rooms: str) -> list[Record]:
    """Return the records that ended well and have something in every one of ``rooms``.

    Points of anytime curves are none of them.
    """
    return [
        one
        for one in records
        if one["status"] == "ok" and "anytime" not in one and all(one.get(at) for at in rooms)
    ]


def variant_of(record: Record) -> str:
    """Return the dispatcher of a solver's record, the stage of a scheduler's."""
    return str(record.get("dispatcher") or record.get("stage") or "")


def order(records: list[Record]) -> list[str]:
    """Return the candidates, the best mean of the score that ranks first."""
    if not records:
        return []
    primary = display_of_all(records).primary
    found: dict[str, list[float]] = defaultdict(list)
    for record in records:
        value = score(record, primary.key)
        if value is not None:
            found[record["candidate"]].append(-primary.better * value)
    return sorted(found, key=lambda name: (statistics.fmean(found[name]), name))


def colours(records: list[Record]) -> dict[str, str]:
    """Return a colour of each candidate of a suite, the same in all of its plots."""
    found = {one["candidate"]: FAINT for one in records}
    return found | dict(zip(order(finished(records))[:COLOURED], COLOURS, strict=False))


def places(records: list[Record]) -> dict[Place, dict[str, list[Record]]]:
    """Return records by (scenario, variant), and there by candidate, the best first."""
    rank = {name: place for place, name in enumerate(order(records))}
    found: dict[Place, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        found[record["scenario"]["id"], variant_of(record)][record["candidate"]].append(record)
    last = len(rank)
    return {
        place: dict(sorted(found[place].items(), key=lambda pair: rank.get(pair[0], last)))
        for place in sorted(found)
    }


def mean(records: Iterable[Record], key: str) -> float | None:
    """Return the mean of a score over records that have it."""
    values = [value for one in records if (value := score(one, key)) is not None]
    return statistics.fmean(values) if values else None


def mean_list(records: list[Record], room: str, key: str) -> list[float]:
    """Return the mean over records of a list of numbers, as long as the shortest of them."""
    lists = [one[room][key] for one in records if key in one.get(room, {})]
    return [statistics.fmean(values) for values in zip(*lists, strict=False)]


def lines(candidates: dict[str, list[Record]], room: str, key: str) -> dict[str, list[float]]:
    """Return the mean list of every candidate that has one of two numbers or more."""
    found = {name: mean_list(mine, room, key) for name, mine in candidates.items()}
    return {name: values for name, values in found.items() if len(values) > 1}


def over_scenarios(
    records: list[Record], keys: tuple[str, ...]
) -> dict[tuple[str, str], dict[str, float]]:
    """Return means of scores by (candidate, variant), of those that ran in every scenario.

    Each scenario counts alike, however many seeds it was run with.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    found: dict[tuple[str, str], dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        scenario, variant = record["scenario"]["id"], variant_of(record)
        wanted[variant].add(scenario)
        found[record["candidate"], variant][scenario].append(record)
    table: dict[tuple[str, str], dict[str, float]] = {}
    for pair, by_scenario in found.items():
        if set(by_scenario) != wanted[pair[1]]:
            continue
        row: dict[str, float] = {}
        for key in keys:
            means = [mean(alike, key) for alike in by_scenario.values()]
            known = [value for value in means if value is not None]
            if len(known) == len(means):
                row[key] = statistics.fmean(known)
        table[pair] = row
    return table
