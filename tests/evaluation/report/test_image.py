"""Plots are stacked into one figure and written as SVG or PNG."""

import importlib.util
import re
import shutil

import numpy as np
import pytest

from evaluation.report import image, plot_page, theme
from evaluation.report.plot import Plot

COLOURS = theme.page_colours("dark")


@pytest.fixture
def plots():
    """A line with a legend, and below it a heat map with a colour bar."""
    line = {"type": "scatter", "mode": "lines", "name": "a", "x": [1.0, 2.0], "y": [3.0, 4.0]}
    heat = {"type": "heatmap", "z": np.eye(2), "meta": theme.DIVERGING, "colorbar": {}}
    return [
        Plot("First", "", theme.figure([line], height=300, xaxis={"title": {"text": "time"}})),
        Plot("Second", "", theme.figure([heat], height=200)),
    ]


def test_each_plot_has_axes_of_its_own(plots):
    """The first plot is above the second; no two areas overlap."""
    figure = image.stacked("Title", plots, COLOURS)
    assert [(trace["xaxis"], trace["yaxis"]) for trace in figure["data"]] == [
        ("x", "y"),
        ("x2", "y2"),
    ]
    first, second = (figure["layout"][name]["domain"] for name in ("yaxis", "yaxis2"))
    assert 0 <= second[0] < second[1] < first[0] < first[1] <= 1
    assert figure["layout"]["xaxis"]["title"]["text"] == "time"
    titles = [text["text"] for text in figure["layout"]["annotations"]]
    assert titles == ["Title", "First", "Second"]


def test_an_image_has_room_for_all_plots(plots):
    """The height of a plot's area is that of its figure, less the title of its axis."""
    layout = image.stacked("Title", plots, COLOURS)["layout"]
    inner = layout["height"] - image.HEADER - image.MARGIN
    low, high = layout["yaxis2"]["domain"]
    assert (high - low) * inner == pytest.approx(200 - image.AXIS)


def test_colours_are_those_of_the_page(plots):
    """Ground, text and the middle of a diverging scale follow the scheme."""
    figure = image.stacked("Title", plots, COLOURS)
    assert figure["layout"]["paper_bgcolor"] == COLOURS["surface"]
    assert figure["data"][1]["colorscale"] == [
        [0, theme.BELOW],
        [0.5, COLOURS["middle"]],
        [1, theme.ABOVE],
    ]


def test_a_colour_bar_stands_beside_its_plot(plots):
    """Its middle and length are those of the plot's area."""
    figure = image.stacked("Title", plots, COLOURS)
    low, high = figure["layout"]["yaxis2"]["domain"]
    bar = figure["data"][1]["colorbar"]
    assert (bar["y"], bar["len"]) == pytest.approx(((low + high) / 2, high - low))
    assert figure["layout"]["margin"]["r"] == image.BAR


def test_plots_are_left_as_they_are(plots):
    """Stacking copies."""
    image.stacked("Title", plots, COLOURS)
    assert "xaxis" not in plots[0].figure["data"][0]
    assert plots[1].figure["data"][0]["colorbar"] == {}


@pytest.mark.skipif(
    importlib.util.find_spec("kaleido") is None or shutil.which("chromium") is None,
    reason="no kaleido or no chromium: pip install 'podlab[image]', apt-get install chromium",
)
@pytest.mark.parametrize(("ending", "begin"), [(".svg", b"<svg"), (".png", b"\x89PNG")])
def test_images_are_written(plots, tmp_path, ending, begin):
    """Each format begins as it should, and an SVG asks no server for anything."""
    path = tmp_path / f"p{ending}"
    plot_page.write(path, "Title", plots)
    content = path.read_bytes()
    assert content.startswith(begin)
    assert list(tmp_path.iterdir()) == [path]
    if ending == ".svg":
        assert b"Second" in content
        addresses = set(re.findall(rb"https?://[^\"]+", content))
        assert addresses <= {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink"}
