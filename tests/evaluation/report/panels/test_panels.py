"""Claims that every panel must meet, whatever it draws."""

import json
import re

import pytest

from evaluation.records.record_file import ROOT
from evaluation.report import theme
from evaluation.report.candidate_labels import labelled
from evaluation.report.panel import Panel, Table, View
from evaluation.report.panels import CANDIDATE, SUITE, full_width, panels
from tests.evaluation.report import made


def of(kind):
    """Return the records of one kind."""
    return labelled([record for record in made.everything() if record["kind"] == kind])


@pytest.mark.parametrize("registry", [SUITE, CANDIDATE], ids=["suite", "candidate"])
@pytest.mark.parametrize("kind", ["solver", "forecast", "serving"])
def test_panels_can_be_drawn_and_read(registry, kind):
    """Every view is JSON that Plotly draws, with a sentence and a table."""
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
def test_without_data_there_is_no_panel(name):
    """Without records, and with failures alone, no panel is shown."""
    assert panels({name: SUITE[name]}, []) == {}
    assert panels({name: SUITE[name]}, labelled([made.failed()])) == {}


@pytest.mark.parametrize("name", SUITE)
def test_records_of_the_first_schema_are_enough(name):
    """Records that have only scores raise no error; panels that they fill have views."""
    bare = []
    for record in made.suite():
        for field in ("kind", "family", "windows", "rank_load", "breakdown", "links", "cost"):
            del record[field]
        bare.append(record)
    for panel in panels({name: SUITE[name]}, labelled(bare)).values():
        assert panel.views


def test_records_are_left_as_they_are():
    """Panels do not change records."""
    records = of("solver")
    before = json.dumps(records)
    panels(SUITE, records)
    assert json.dumps(records) == before


def test_each_kind_has_the_plots_that_matter_most_to_it():
    """Of solvers the next window against the fitted one comes first."""
    assert next(iter(panels(SUITE, of("solver")))) == "next-against-fitted"
    assert "latency" in panels(SUITE, of("serving"))
    assert "over-time" in panels(SUITE, of("forecast"))


@pytest.mark.parametrize(
    ("wide", "expected"),
    [
        ("--", ""),
        ("-", "0"),
        ("W--", "0"),
        ("-W--", "01"),
        ("---W-", "234"),
    ],
)
def test_a_panel_without_a_partner_is_wide(wide, expected):
    """W is a wide panel: between two of them, the last of an odd number of others is wide too."""
    view = View("", {}, "", Table((), ()))
    shown = {str(at): Panel("", "", (view,), wide=form == "W") for at, form in enumerate(wide)}
    assert full_width(shown) == set(expected)


def test_the_docs_example_is_a_panel():
    """The example of docs/report.md draws moved bytes, and nothing if no record has them."""
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}
    exec(compile(code, "docs/report.md", "exec"), names)
    shown = names["panel"](of("solver"))
    assert "robust" in shown.views[0].figure["data"][0]["x"]
    assert json.loads(theme.to_json(shown.views[0].figure))
    assert shown.views[0].table.rows
    assert names["panel"](of("serving")) is None
