"""Plots become one self-contained page, or an image."""

import json
import re
import sys

import pytest

from evaluation.report import image, plot_page, theme
from evaluation.report.panel import Table
from evaluation.report.plot import Plot

LINE = {"type": "scatter", "mode": "lines", "name": "a", "x": [1.0, 2.0], "y": [3.0, 4.0]}


@pytest.fixture
def plot():
    """A line of two points."""
    return Plot("Title <b>", "Caption.", theme.figure([LINE]))


@pytest.fixture
def own(plot):
    """A page with text and tables, without the program of plotly.js in it."""
    page_text = plot_page.PageText(
        ["A line & more."],
        {"Above": Table(("name", "number", "meaning"), (("a", "1", "one"),), words=(2,))},
        {"Below": Table(("name",), (("b",),))},
        {"Source": "{}"},
    )
    html = plot_page.html("Name <i>", [plot, plot], page_text)
    start = html.index("<script>", html.index("</footer>"))
    return html[:start] + html[html.index("</script>", start) :]


def test_a_page_holds_plotly_once(plot):
    """Plots need nothing page_text the file."""
    assert len(re.findall(r"plotly\.js v\d", plot_page.html("a", [plot, plot]))) == 1


def test_nothing_is_loaded_from_elsewhere(own):
    """No address but data in the page itself, and its policy forbids any request."""
    assert re.findall(r"\b(?:src|href)\s*=\s*\"(?!data:)", own) == []
    assert "http:" not in own
    assert "https:" not in own
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', own)[1]
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline'")
    assert "self" not in policy
    assert "connect-src" not in policy  # so that default-src holds


def test_plots_have_titles_captions_and_figures(own):
    """Every plot has its figure as JSON page_text it; markup in titles is text."""
    figures = re.findall(r'<script type="application/json">(.*?)</script>', own)
    assert [json.loads(figure)["data"] for figure in figures] == [[LINE], [LINE]]
    assert own.count("<h2>Title &lt;b&gt;</h2>") == 2
    assert own.count('<p class="caption">Caption.</p>') == 2


def test_text_and_tables_stand_around_the_plots(own):
    """Lines and tables above, tables and folded texts below; words are aligned left."""
    order = [
        "<h1>Name &lt;i&gt;</h1>",
        "A line &amp; more.",
        "<h2>Above</h2>",
        '<td class="text">one</td>',
        '<div class="panels">',
        "<h2>Below</h2>",
        "<summary>Source</summary>",
    ]
    places = [own.index(part) for part in order]
    assert places == sorted(places)


def test_the_site_and_a_page_share_style_and_theme(own):
    """Both use site.css and plot_theme.js, and both schemes of colours."""
    assert "prefers-color-scheme: dark" in own
    assert "function themed(figure)" in own
    assert 'name="viewport" content="width=device-width' in own


@pytest.mark.parametrize("name", ["p.pdf", "p", "p.html.gz"])
def test_other_endings_are_refused(tmp_path, name):
    """The message names the option and the formats."""
    with pytest.raises(ValueError, match=r"--out .*ends in \.html or \.svg or \.png"):
        plot_page.check(tmp_path / name, "--out")


def test_a_missing_folder_is_refused(tmp_path):
    """Before the work, not after it."""
    with pytest.raises(ValueError, match="there is no folder"):
        plot_page.check(tmp_path / "no" / "p.html", "--out")


@pytest.mark.parametrize("ending", image.ENDINGS)
def test_an_image_without_kaleido_names_the_extra(tmp_path, monkeypatch, ending):
    """The message says what to install, and that .html needs nothing."""
    monkeypatch.setattr(image.importlib.util, "find_spec", lambda name: None)
    path = tmp_path / f"p{ending}"
    with pytest.raises(
        ImportError, match=r"pip install 'podlab\[image\]'; an \.html needs neither"
    ):
        plot_page.check(path, "--out")


@pytest.mark.parametrize("package", ["plotly", "jinja2"])
def test_a_missing_package_is_named(plot, monkeypatch, package):
    """With the line that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    if package == "plotly":
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'podlab\[lab\]'"):
        plot_page.html("a", [plot])
