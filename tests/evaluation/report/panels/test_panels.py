"""What holds of every panel, whatever it draws."""

import json
import re

import pytest

from evaluation.records.record_file import ROOT
from evaluation.report import theme
from evaluation.report.candidate_labels import labelled
from evaluation.report.panels import CANDIDATE, SUITE, panels, wide
from tests.evaluation.report import made


def of(kind):
    """Return the records of one kind."""
    return labelled([one for one in made.everything() if one["kind"] == kind])


@pytest.mark.parametrize("registry", [SUITE, CANDIDATE], ids=["suite", "candidate"])
@pytest.mark.parametrize("kind", ["solver", "forecast", "serving"])
def test_panels_can_be_drawn_and_read(registry, kind):
    """Every view is JSON that Plotly draws, with a sentence and a table beside it."""
    for name, panel in panels(registry, of(kind)).items():
        assert panel.title, name
        assert panel.views, name
        for view in panel.views:
            figure = json.loads(theme.to_json(view.figure))
            assert figure["data"], name
            assert figure["layout"]["height"] > 0
            assert re.search(r"\d", view.summary), name
            assert view.table.rows, name
            assert {len(row) for row in view.table.rows} == {len(view.table.headings)}, name


@pytest.mark.parametrize("name", SUITE)
def test_nothing_to_show_is_no_panel(name):
    """Without records, and with failures alone, every panel stays away."""
    assert panels({name: SUITE[name]}, []) == {}
    assert panels({name: SUITE[name]}, labelled([made.failed()])) == {}


@pytest.mark.parametrize("name", SUITE)
def test_records_of_the_first_schema_are_enough(name):
    """Records with scores alone draw what they can and break nothing."""
    bare = []
    for record in made.suite():
        for room in ("kind", "family", "windows", "rank_load", "breakdown", "links", "cost"):
            del record[room]
        bare.append(record)
    for panel in panels({name: SUITE[name]}, labelled(bare)).values():
        assert panel.views


def test_records_are_left_as_they_are():
    """Panels draw and change nothing."""
    records = of("solver")
    before = json.dumps(records)
    panels(SUITE, records)
    assert json.dumps(records) == before


def test_each_kind_has_the_plots_that_matter_most_to_it():
    """Of solvers the next window against the fitted one comes first."""
    assert next(iter(panels(SUITE, of("solver")))) == "next-against-fitted"
    assert "latency" in panels(SUITE, of("serving"))
    assert "over-time" in panels(SUITE, of("forecast"))


def test_nobody_stands_alone():
    """Of panels in pairs, the last of an odd run is made wide."""
    shown = panels(SUITE, of("solver"))
    found = wide(shown)
    assert {"next-against-fitted", "over-time", "gap-to-best"} <= found
    run = 0
    for name in shown:
        run = 0 if name in found else run + 1
        assert run % 2 == 0 or list(shown)[-1] != name


def test_the_docs_example_is_a_panel():
    """What docs/report.md shows draws records as it says, and nothing where there is nothing."""
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    room = {}
    exec(compile(code, "docs/report.md", "exec"), room)
    shown = room["panel"](of("solver"))
    assert "robust" in shown.views[0].figure["data"][0]["x"]
    assert json.loads(theme.to_json(shown.views[0].figure))
    assert shown.views[0].table.rows
    assert room["panel"](of("serving")) is None
