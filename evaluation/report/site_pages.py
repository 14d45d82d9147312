"""Pages of a report as text, from records; nothing is written here."""

from collections import defaultdict
from typing import Any

from evaluation.kinds import name_of
from evaluation.report.candidate_labels import labelled
from evaluation.report.candidate_page import candidate_pages
from evaluation.report.jinja_environment import page_environment
from evaluation.report.panel import Record
from evaluation.report.panel_data import variant_of
from evaluation.report.panels import full_width
from evaluation.report.provenance import provenance
from evaluation.report.record_display import with_ratios
from evaluation.report.suite_page import suite_page

#: Letters of a reason that are shown; a record may hold a whole traceback.
REASON = 400


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
        At least one record; :mod:`evaluation.report.record_validation` has checked each.
    problems
        Messages about files that could not be read, for the first page.
    title
        Title of the report.
    check
        Whether to check the conformance of registered solvers now, which takes minutes.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    labelled_records = labelled(with_ratios(_one_kind_each(records)))
    by_suite: dict[str, list[Record]] = defaultdict(list)
    for record in labelled_records:
        by_suite[record["suite"]].append(record)
    suites = {name: suite_page(name, by_suite[name]) for name in sorted(by_suite)}
    candidates = candidate_pages(suites, labelled_records, check)
    environment = _environment()
    common = {
        "title": title,
        "suites": list(suites.values()),
        "candidates": candidates,
        "provenance": provenance(records),
        "problems": problems,
        "variants": sorted({variant_of(record) for record in labelled_records} - {""}),
    }

    def page(template: str, root: str, **own: Any) -> str:
        return str(environment.get_template(template).render(root=root, **common, **own))

    texts = {"index.html": page("index.html.j2", "", here="index")}
    for suite in suites.values():
        wide = full_width(suite.panels)
        texts[suite.page] = page("suite.html.j2", "../", here=suite.page, suite=suite, wide=wide)
    for candidate in candidates:
        wide = full_width(candidate.panels)
        texts[candidate.page] = page(
            "candidate.html.j2", "../", here=candidate.page, candidate=candidate, wide=wide
        )
    return texts


def _one_kind_each(records: list[Record]) -> list[Record]:
    """Return records with one kind in each suite; a second kind gets a suite of its own."""
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
    environment.filters["reason"] = lambda text: _cut(str(text), REASON)
    environment.filters["setting"] = _setting
    return environment


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[:letters]} … ({len(text):,} letters)"


def _setting(value: Any) -> str:
    """Return the text of a value of a scenario."""
    if isinstance(value, list):
        return ", ".join(map(_setting, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_setting(each)}" for key, each in value.items())
    return _cut(str(value), REASON)
