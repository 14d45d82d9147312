"""The page of a suite."""

from tests.evaluation.report import made
from tests.evaluation.report.made_pages import suite_pages


def test_a_suite_of_failures_has_a_page():
    """If no candidate finished, the page has no lines, and every reason."""
    _, suites = suite_pages([made.failed(), made.failed("zeros", status="infeasible")])
    assert suites["toy-v1"].table.lines == ()
    assert len(suites["toy-v1"].table.failures) == 2
    assert suites["toy-v1"].panels == {}
