"""Leaderboards of a report: lines, cells and bars."""

from tests.evaluation.report import made
from tests.evaluation.report.made_pages import suite_pages


def test_lines_of_mean_and_scenarios():
    """A table has a line for each candidate and dispatcher, for the mean and for each scenario."""
    _, suites = suite_pages(made.suite())
    table = suites["toy-v1"].table
    assert [line.scenario for line in table.lines] == [""] * 6 + ["calm"] * 6 + ["shift"] * 6
    # robust has quality 0.95 in "calm" and 0.75 in "shift": the mean is 0.85
    assert table.lines[0].cells[0].text == "0.8500"
    assert table.lines[0].cells[0].best
    assert not table.lines[-1].cells[0].best


def test_bars_span_the_column():
    """The best is at the right end of the column's bar, the worst at the left one."""
    _, suites = suite_pages(made.suite())
    mean = [line.bar for line in suites["toy-v1"].table.lines if not line.scenario]
    assert (mean[0].at, mean[-1].at) == (100.0, 0.0)
    _, suites = suite_pages(made.suite(seeds=(0, 1, 2)))
    for line in suites["toy-v1"].table.lines:
        assert 0 <= line.bar.low <= line.bar.at <= line.bar.high <= 100
        assert " to " in line.bar.text


def test_an_unknown_kind_shows_what_scores_it_has():
    """A kind that this podlab does not know is ranked by its first score."""
    record = made.solver() | {"kind": "novel", "scores": {"recovery_s": 3.0, "lost": 1.0}}
    _, suites = suite_pages([record])
    table = suites["toy-v1"].table
    assert [column.title for column in table.kind.columns] == ["recovery s", "lost"]
    assert table.lines[0].cells[0].text == "3"
