"""The pages of candidates."""

from evaluation.report.candidate_page import candidate_pages
from tests.evaluation.report import made
from tests.evaluation.report.made_pages import suite_pages


def test_each_candidate_has_one_page():
    """Every candidate has one page over all suites; a scheduler one for each stage."""
    records = [*made.everything(), made.scheduler("random", "prefill")]
    shown, suites = suite_pages(records)
    pages = candidate_pages(suites, shown, check=False)
    by_page = {page.page: page for page in pages}
    assert len(by_page) == len(pages)
    assert by_page["candidates/scheduler-job-random.html"].noun == "job scheduler"
    assert "candidates/scheduler-prefill-random.html" in by_page
    assert by_page["candidates/solver-fragile.html"].failures
    linked = {line.page for suite in suites.values() for line in suite.table.lines}
    assert linked <= set(by_page)


def test_own_files_are_not_taken_for_registered_ones():
    """A user's file called greedy does not get the docstring of the registered greedy."""
    shown, suites = suite_pages([made.solver("greedy", solver_file="f" * 64)])
    (page,) = candidate_pages(suites, shown, check=False)
    assert page.docs is None
