"""Traces as pictures."""

import xml.etree.ElementTree as xml

import numpy as np
import pytest

import traces
from evaluation.analysis import trace_picture
from traces.statistics import summarise

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def told():
    """Two traces of different shape, one with a layer that never runs."""
    counts = np.random.default_rng(0).integers(1, 9, (12, 3, 8))
    counts[:, 1] = 0
    counts[:, 2, 5] = 100
    return {
        "a <b>": summarise(traces.RoutingTrace(counts, "toy", 2)),
        "other": summarise(traces.RoutingTrace(np.ones((5, 2, 4), int), "toy", 2), 2),
    }


def test_a_column_for_each_trace(told):
    """It is well-formed; each trace has two maps and a curve, and the scale is one more image."""
    root = xml.fromstring(trace_picture.svg(told))
    assert len(root.findall(f"{SVG}image")) == 2 * 2 + 1
    assert len(root.findall(f"{SVG}polyline")) == 2
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert "a <b>" in texts
    assert "2/5" in texts  # the hottest expert
    left = [float(image.get("x")) for image in root.findall(f"{SVG}image")]
    assert len(set(left[:2])) == 1
    assert left[2] > left[0] + trace_picture.MAP_WIDTH


def test_colours():
    """White at the mean, full red and blue at the ends and beyond, grey where nothing is known."""
    found = trace_picture.colours(np.array([1.0, 16.0, 1e9, 1 / 16, 0.0, np.nan]))
    assert found.tolist() == [
        list(trace_picture.EVEN),
        *[list(trace_picture.HOT)] * 2,
        *[list(trace_picture.COLD)] * 2,
        list(trace_picture.EMPTY),
    ]


def test_hottest_first(told):
    """The experts over time are those of the whole trace, the hottest at the top."""
    named, course = trace_picture.hottest_over_time(told["a <b>"])
    assert named[0] == (2, 5)
    assert course.shape == (12, 12)
    assert course[0] == pytest.approx(course[:, :].max(axis=0))


def test_html_has_the_numbers_too(told, tmp_path):
    """The page holds picture and table, names escaped."""
    trace_picture.write(told, tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    assert "<svg" in page
    assert "<td>gini</td>" in page
    assert "a &lt;b&gt;" in page
    assert "a <b>" not in page
    assert [path.name for path in tmp_path.iterdir()] == ["p.html"]


def test_other_names_are_refused(told, tmp_path):
    """PNG and others are not drawn."""
    with pytest.raises(ValueError, match=r"p\.png: give a name that ends in \.svg or \.html"):
        trace_picture.write(told, tmp_path / "p.png")


def test_nothing_at_all(tmp_path):
    """A trace of idle steps is grey, and raises no warning."""
    idle = summarise(traces.RoutingTrace(np.zeros((2, 2, 4), int), "toy", 1))
    xml.fromstring(trace_picture.svg({"idle": idle}))
