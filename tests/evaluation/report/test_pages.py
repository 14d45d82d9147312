"""Pages are plain data before they are text."""

from evaluation.report import pages
from evaluation.report.candidate_labels import labelled
from tests.evaluation.report import made


def suites(records):
    """Return the pages of suites by id."""
    shown = labelled(records)
    names = {one["suite"] for one in shown}
    return shown, {
        name: pages.suite_page(name, [one for one in shown if one["suite"] == name])
        for name in sorted(names)
    }


def test_lines_of_mean_and_scenarios():
    """A board has a line a candidate and dispatcher, for the mean and for each scenario."""
    _, found = suites(made.suite())
    board = found["toy-v1"].board
    assert [line.scenario for line in board.lines] == [""] * 6 + ["calm"] * 6 + ["shift"] * 6
    assert board.lines[0].cells[0].text == "0.8500"
    assert board.lines[0].cells[0].best
    assert not board.lines[-1].cells[0].best


def test_bars_span_the_column():
    """The best is at the right end of the column's bar, the worst at the left one."""
    _, found = suites(made.suite())
    mean = [line.bar for line in found["toy-v1"].board.lines if not line.scenario]
    assert (mean[0].at, mean[-1].at) == (100.0, 0.0)
    _, found = suites(made.suite(seeds=(0, 1, 2)))
    for line in found["toy-v1"].board.lines:
        assert 0 <= line.bar.low <= line.bar.at <= line.bar.high <= 100
        assert " to " in line.bar.text


def test_a_page_a_candidate():
    """Every candidate has one page over all suites; a scheduler one for each stage."""
    records = [*made.everything(), made.scheduler("random", "prefill")]
    shown, found = suites(records)
    one_each = pages.candidate_pages(found, shown, check=False)
    assert len({one.page for one in one_each}) == len(one_each)
    by_page = {one.page: one for one in one_each}
    assert by_page["candidates/scheduler-job-random.html"].noun == "job scheduler"
    assert "candidates/scheduler-prefill-random.html" in by_page
    assert by_page["candidates/solver-fragile.html"].failures
    linked = {line.page for suite in found.values() for line in suite.board.lines}
    assert linked <= set(by_page)


def test_own_files_are_not_taken_for_registered_ones():
    """A user's file called greedy has not greedy's docstring."""
    shown, found = suites([made.solver("greedy", solver_file="f" * 64)])
    (page,) = pages.candidate_pages(found, shown, check=False)
    assert page.about is None


def test_a_suite_of_failures_has_a_page():
    """Where nobody finished there is no table, but every reason."""
    _, found = suites([made.failed(), made.failed("zeros", status="infeasible")])
    assert found["toy-v1"].board.lines == ()
    assert len(found["toy-v1"].board.failures) == 2
    assert found["toy-v1"].panels == {}


def test_an_unknown_kind_shows_what_scores_it_has():
    """A kind that this podlab does not know is ranked by its first score."""
    record = made.solver() | {"kind": "novel", "scores": {"recovery_s": 3.0, "lost": 1.0}}
    _, found = suites([record])
    board = found["toy-v1"].board
    assert [column.title for column in board.kind.columns] == ["recovery s", "lost"]
    assert board.lines[0].cells[0].text == "3"
