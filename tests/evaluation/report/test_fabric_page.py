"""The picture of a fabric shows the loads of its links."""

import numpy as np
import pytest

from evaluation.analysis.fabric_layout import FabricBundle, FabricLayout, FabricNode
from evaluation.report import fabric_page
from hardware import Fabric


@pytest.fixture
def plot():
    """Two dies below one switch; one link is idle, the other always busy."""
    nodes = (
        FabricNode("die0", "die", 1, 0.25, 0),
        FabricNode("die1", "die", 1, 0.75, 0),
        FabricNode("l1 of server 0", "l1", 7, 0.5, 1),
    )
    bundles = (FabricBundle((0, 2), 2, 0.0), FabricBundle((1, 2), 1, 1.0))
    return fabric_page.plot(FabricLayout(nodes, bundles), "uniform")


def trace(plot, mode, name=None):
    """Return the traces of a mode and name."""
    data = plot.figure["data"]
    return [one for one in data if one["mode"] == mode and one.get("name") == name]


def test_links_have_the_colour_of_their_load(plot):
    """Idle links have the first colour of the scale, always busy ones the last."""
    idle, full = trace(plot, "lines")
    assert idle["x"] == [0.25, 0.5, None]
    assert full["x"] == [0.75, 0.5, None]
    assert idle["y"] == full["y"] == [0, 1, None]
    assert idle["line"]["color"] == "rgb(111, 159, 196)"  # #6f9fc4
    assert full["line"]["color"] == "rgb(213, 51, 14)"  # #d5330e


def test_the_scale_ends_at_idle_and_always_busy(plot):
    """Loads are compared to the whole time, not to the busiest link of this fabric."""
    (points,) = trace(plot, "markers")
    assert (points["marker"]["cmin"], points["marker"]["cmax"]) == (0, 1)
    assert points["marker"]["color"] == [0.0, 1.0]


def test_hover_texts_name_links_and_nodes(plot):
    """Each text has the number of links or nodes of a line or dot."""
    (points,) = trace(plot, "markers")
    assert points["text"] == [
        "die0 – l1 of server 0<br>2 links, busiest 0%",
        "die1 – l1 of server 0<br>1 link, busiest 100%",
    ]
    (switches,) = trace(plot, "markers", "l1")
    assert switches["text"] == ["l1 of server 0<br>7 of them"]
    assert "a dot is a group of nodes" in plot.caption


def test_levels_are_named(plot):
    """The axis names the kinds of each level."""
    axis = plot.figure["layout"]["yaxis"]
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True)) == {0: "die", 1: "l1"}


@pytest.mark.parametrize(("load", "shade"), [(0.0, 0), (0.5, 6), (0.999, 11), (1.0, 11)])
def test_shades_cover_the_whole_range(load, shade):
    """Twelve shades of equal width; the last holds 1."""
    assert fabric_page.shade(load) == shade


def test_the_whole_machine_is_a_small_page(tmp_path):
    """Hundreds of GPUs are a page below 8 MB with few traces and a table of numbers."""
    fabric = Fabric.preset("h100", 256)
    path = tmp_path / "fabric.html"
    fabric_page.write(fabric, np.ones((256, 256)), "uniform", path)
    assert path.stat().st_size < 8e6
    text = path.read_text(encoding="utf-8")
    assert "<h1>Fabric h100</h1>" in text
    assert "256 gpu" in text
    assert "<h2>Fullest links</h2>" in text
