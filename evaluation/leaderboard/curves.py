"""Anytime curves: quality against the cost of a budget."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from evaluation.records.identity import Record


def anytime_curves(records: Iterable[Record]) -> dict[str, list[dict[str, Any]]]:
    """Return the points of each solver, in the order of scenario, seed, parameter and value."""
    curves: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if record["status"] == "ok":
            place = {"scenario": record["scenario"]["id"], "seed": record["seed"]}
            curves[record["solver"]] += [{**place, **point} for point in record["cost"]["curve"]]
    for points in curves.values():
        points.sort(
            key=lambda point: (point["scenario"], point["seed"], point["parameter"], point["value"])
        )
    return dict(curves)
