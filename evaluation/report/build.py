"""From records to the pages of a report, as text: nothing is written here."""

from collections import defaultdict
from typing import Any

from evaluation.kinds import name_of
from evaluation.report import pages
from evaluation.report.candidate_labels import labelled
from evaluation.report.displays import with_ratios
from evaluation.report.environment import page_environment
from evaluation.report.panel import Record
from evaluation.report.panels import wide
from evaluation.report.provenance import provenance
from evaluation.report.record_select import variant_of


def build(
    records: list[Record],
    problems: list[str],
    title: str = "podlab report",
    check: bool = False,
) -> dict[str, str]:
    """Return the text of every page by its address in the report.

    Parameters
    ----------
    records
        Sound ones (:mod:`evaluation.report.record_validation`), at least one.
    problems
        What could not be read; it is said on the first page.
    title
        Of the report.
    check
        Whether registered solvers' conformance is checked now, for minutes.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    shown = labelled(with_ratios(_one_kind_each(records)))
    by_suite: dict[str, list[Record]] = defaultdict(list)
    for record in shown:
        by_suite[record["suite"]].append(record)
    suites = {name: pages.suite_page(name, by_suite[name]) for name in sorted(by_suite)}
    candidates = pages.candidate_pages(suites, shown, check)
    environment = _environment()
    common = {
        "title": title,
        "suites": list(suites.values()),
        "candidates": candidates,
        "provenance": provenance(records),
        "problems": problems,
        "variants": sorted({variant_of(one) for one in shown} - {""}),
    }

    def page(template: str, root: str, **own: Any) -> str:
        return str(environment.get_template(template).render(root=root, **common, **own))

    found = {"index.html": page("index.html.j2", "", here="index")}
    for suite in suites.values():
        found[suite.page] = page(
            "suite.html.j2", "../", here=suite.page, suite=suite, wide=wide(suite.panels)
        )
    for one in candidates:
        found[one.page] = page(
            "candidate.html.j2", "../", here=one.page, one=one, wide=wide(one.panels)
        )
    return found


def _one_kind_each(records: list[Record]) -> list[Record]:
    """Return records whose suites hold one kind each; a second kind has its name behind the id."""
    first: dict[str, str] = {}
    for record in records:
        first.setdefault(record["suite"], name_of(record))
    return [
        record
        if name_of(record) == first[record["suite"]]
        else record | {"suite": f"{record['suite']} ({name_of(record)})"}
        for record in records
    ]


def _environment() -> Any:
    environment = page_environment()
    environment.filters["reason"] = lambda text: _cut(str(text), pages.REASON)
    environment.filters["setting"] = _setting
    return environment


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[:letters]} … ({len(text):,} letters)"


def _setting(value: Any) -> str:
    """Return a scenario's setting as it is read."""
    if isinstance(value, list):
        return ", ".join(map(_setting, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_setting(one)}" for key, one in value.items())
    return _cut(str(value), pages.REASON)
