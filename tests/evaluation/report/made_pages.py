"""Pages of suites of made-up records."""

from evaluation.report.candidate_labels import labelled
from evaluation.report.suite_page import suite_page


def suite_pages(records):
    """Return labelled records, and the pages of their suites by id."""
    shown = labelled(records)
    names = sorted({record["suite"] for record in shown})
    return shown, {
        name: suite_page(name, [record for record in shown if record["suite"] == name])
        for name in names
    }
