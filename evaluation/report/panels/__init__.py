"""Panels of a report, one file each. A new panel adds its line here, in the order of the page."""

import importlib
from collections.abc import Iterable, Mapping

from evaluation.report.panel import Panel, Record

#: Panels of a suite's page: name to the function from records of one suite to a panel or None.
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

#: Panels of a candidate's page: the function gets the records of one candidate.
CANDIDATE = {
    "next-against-fitted": "evaluation.report.panels.own_next_against_fitted:panel",
    "anytime": "evaluation.report.panels.anytime:panel",
}


def panels(registry: Mapping[str, str], records: Iterable[Record]) -> dict[str, Panel]:
    """Return the panels that these records fill, by name."""
    records = list(records)
    filled: dict[str, Panel] = {}
    for name, target in registry.items():
        module, _, attribute = target.partition(":")
        panel = getattr(importlib.import_module(module), attribute)(records)
        if panel is not None:
            filled[name] = panel
    return filled


def full_width(panels: Mapping[str, Panel]) -> frozenset[str]:
    """Return the names of the panels that take the whole width of the page.

    These are the ones that ask for it. The others are placed in pairs; one that has no partner
    before the next wide panel, or at the end, takes the whole width too.
    """
    names: set[str] = set()
    without_partner: str | None = None
    for name, panel in panels.items():
        if panel.wide:
            names |= {name} if without_partner is None else {name, without_partner}
            without_partner = None
        else:
            without_partner = name if without_partner is None else None
    return frozenset(names | ({without_partner} if without_partner is not None else set()))
