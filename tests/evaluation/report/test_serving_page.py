"""A report is one page that needs nothing else, and holds every number and plot."""

import dataclasses
import json
import re
import sys

import pytest

from evaluation.report.serving_page import report, write_report
from evaluation.serving.faults.failure_plan import FailurePlan


@pytest.fixture
def page(result):
    """The page without Plotly's own program."""
    text = report(result)
    return re.sub(r"<script>/\*\*?\s.*?</script>", "", text, count=1, flags=re.DOTALL)


def test_the_page_is_one_file_below_eight_megabytes(result, tmp_path):
    """Plotly is in it once; no partial file is left."""
    path = tmp_path / "report.html"
    write_report(result, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size < 8e6
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"plotly\.js v\d", text)) == 1
    assert text.rstrip().endswith("</html>")


def test_nothing_is_loaded_from_elsewhere(page):
    """No address but data in the page itself, and it was cut down to our own part."""
    assert len(page) < 100_000
    assert re.findall(r"\b(?:src|href)\s*=\s*\"(?!data:)", page) == []
    assert "http" not in page


def test_every_plot_has_its_figure_and_caption(page):
    """Figures are JSON with data; ids are counted through."""
    found = re.findall(r'<script type="application/json" id="figure-(\d+)">(.*?)</script>', page)
    assert [int(number) for number, _ in found] == list(range(1, 10))
    for _, figure in found:
        assert json.loads(figure)["data"]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert len(captions) == 9
    assert all(caption.endswith(".") for caption in captions)


def test_the_tables_hold_the_summary(page):
    """Cells are those of the terminal."""
    assert "3 requests arrived, 2 finished, 1 in flight" in page
    cells = re.findall(r"<td>(.*?)</td>", page)
    start = cells.index("decode 0")
    assert cells[start + 7 : start + 11] == ["66.7%", "25.0%", "1.25", "12"]
    assert cells[cells.index("time to first token") + 2] == "666.7 ms"
    assert "&#34;seed&#34;: 0" in page


def test_both_grounds_and_narrow_screens_are_served(page):
    """Colours follow the reader's setting, width the device."""
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport" content="width=device-width' in page


def test_names_cannot_end_the_script(result):
    """A name of a scenario or executor is text wherever it stands."""
    name = "</script><script>alert(1)</script>"
    named = dataclasses.replace(result, name=name, executors=(name, "decode 0"))
    assert "<script>alert(1)" not in report(named)


@pytest.mark.parametrize("package", ["plotly", "jinja2"])
def test_a_missing_package_is_named(result, monkeypatch, package):
    """With the line that installs it."""
    for name in (package, f"{package}.offline"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'podlab\[lab\]'"):
        report(result)


def test_faults_have_a_table_of_their_own(result):
    """Only where there were any."""
    assert "stood still" not in report(result)
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
    page = report(dataclasses.replace(result, summary={**result.summary, "faults": faults}))
    assert "faults     1; stood still: decode 0 7.5 s" in page
    assert "<td>die</td>" in page.replace(' class="name"', "")
