"""The report of a simulation holds its numbers and plots, names escaped."""

import dataclasses
import json

import pytest

from evaluation.report import plot_page
from evaluation.report.serving_page import page_text, write_report
from evaluation.report.serving_plots import plots
from evaluation.serving.faults.failure_plan import FailurePlan


def test_tables_hold_the_summary(result):
    """Cells are those of the terminal; headings keep their lines."""
    page = page_text(result)
    assert "3 requests arrived, 2 finished, 1 in flight" in page.lines[0]
    executors = page.tables["Task executors"]
    decode = next(row for row in executors.rows if row[0] == "decode 0")
    assert decode[7:] == ("66.7%", "25.0%", "1.25", "12")
    assert executors.headings[:3] == ("task\nexecutor", "waiting\nmean", "max")
    latency = {row[0]: row for row in page.tables["Latency"].rows}
    # first tokens after 0.5, 0.5 and 1 s
    assert latency["time to first token"][2] == "666.7 ms"
    assert json.loads(page.details["Scenario"])["seed"] == 0


def test_the_page_is_one_file_below_eight_megabytes(result, tmp_path):
    """It holds every plot; no partial file is left."""
    path = tmp_path / "report.html"
    write_report(result, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size < 8e6
    assert path.read_text(encoding="utf-8").count('class="plot"') == 9


def test_names_cannot_end_the_script(result):
    """A name of a scenario or executor is shown as text everywhere."""
    name = "</script><script>alert(1)</script>"
    named = dataclasses.replace(result, name=name, executors=(name, "decode 0"))
    assert "<script>alert(1)" not in plot_page.html(name, plots(named), page_text(named))


def test_faults_have_a_table_of_their_own(result):
    """The table is there only if there were faults."""
    assert "Faults" not in page_text(result).tables
    outage = {
        "kind": "die",
        "executor": "decode 0",
        **dataclasses.asdict(FailurePlan((), 2.0, 5.0, 2.0)),
    }
    faults = {
        "outages": [outage],
        "stood_still_s": {"decode 0": 7.5},
        "lost_expert_choices": 0.0,
    }
    page = page_text(dataclasses.replace(result, summary={**result.summary, "faults": faults}))
    assert any("downtime: decode 0 7.5 s" in line for line in page.lines)
    assert page.tables["Faults"].rows[0][0] == "die"


@pytest.mark.parametrize("name", ["report.txt", "report"])
def test_other_endings_are_refused(result, tmp_path, name):
    """Nothing is written under a name that says no format."""
    with pytest.raises(ValueError, match=r"ends in \.html or \.svg or \.png"):
        write_report(result, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
