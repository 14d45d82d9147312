"""Panels of a report, one file each. A new one adds its line here, where it stands on the page."""

import importlib
from collections.abc import Iterable, Mapping

from evaluation.report.panel import Panel, Record

#: Of a suite's page: name to function from records, of one suite, to a panel or None.
SUITE = {
    "next-against-fitted": "evaluation.report.panels.next_against_fitted:panel",
    "over-time": "evaluation.report.panels.over_time:panel",
    "pareto": "evaluation.report.panels.pareto:panel",
    "breakdown": "evaluation.report.panels.breakdown:panel",
    "gap-to-best": "evaluation.report.panels.gap_to_best:panel",
    "rank-load": "evaluation.report.panels.rank_load:panel",
    "layers": "evaluation.report.panels.layers:panel",
    "links": "evaluation.report.panels.links:panel",
    "latency": "evaluation.report.panels.latency:panel",
    "anytime": "evaluation.report.panels.anytime:panel",
}

#: Of a candidate's page: from the records of one candidate.
CANDIDATE = {
    "next-against-fitted": "evaluation.report.panels.own_next_against_fitted:panel",
    "anytime": "evaluation.report.panels.anytime:panel",
}


def panels(registry: Mapping[str, str], records: Iterable[Record]) -> dict[str, Panel]:
    """Return the panels that have something to show of these records, by name."""
    shown = list(records)
    found: dict[str, Panel] = {}
    for name, target in registry.items():
        module, _, attribute = target.partition(":")
        panel = getattr(importlib.import_module(module), attribute)(shown)
        if panel is not None:
            found[name] = panel
    return found


def wide(shown: Mapping[str, Panel]) -> frozenset[str]:
    """Return who takes the whole width: those that ask for it, and who would be left alone.

    The others stand in pairs; the last of an odd run between two wide ones has nobody beside it.
    """
    found: set[str] = set()
    waiting: str | None = None
    for name, panel in shown.items():
        if panel.wide:
            found |= {name} if waiting is None else {name, waiting}
            waiting = None
        else:
            waiting = name if waiting is None else None
    return frozenset(found | ({waiting} if waiting is not None else set()))
