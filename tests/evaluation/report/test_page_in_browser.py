"""Self-contained pages in a browser: drawn, readable, light and dark, without any request."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import traces
from evaluation.report import fabric_page, leaderboard_picture, plot_page, serving_page, trace_page
from evaluation.report.leaderboard_picture import ScoreInterval
from hardware import Fabric
from tests.evaluation.report.test_browser import DESK, PHONE, browser, pytestmark
from traces.statistics import summarise

__all__ = ["browser", "pytestmark"]

NAMES = ("fabric", "trace", "serving", "leaderboard")
#: Scrolls to every plot until it has an axis or a point.
DRAWN = """async () => {
    const plots = [...document.querySelectorAll(".plot")];
    for (const plot of plots) {
        const until = performance.now() + 60000;
        while (!plot.querySelector(".ytick text")) {
            // Again and again: plots above it that are drawn meanwhile move it out of sight.
            plot.scrollIntoView({ block: "center" });
            if (performance.now() > until) throw new Error(plot.ariaLabel);
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
    }
    return plots.length;
}"""


@pytest.fixture
def pages(tmp_path, result):
    """A page of each command that draws."""
    fabric = Fabric.preset("cloudmatrix384", 32)
    fabric_page.write(fabric, np.ones((32, 32)), "uniform", tmp_path / "fabric.html")
    counts = np.ones((6, 2, 8), int)
    counts[:, 1, 3] = 25  # of 32 tokens of a layer whose mean is 4: 6.25 times
    trace = traces.RoutingTrace(counts, "toy", 2)
    trace_page.write({"toy": summarise(trace)}, tmp_path / "trace.html")
    serving_page.write_report(result, tmp_path / "serving.html")
    scores = [ScoreInterval(1, "<i>own</i>", "even", 0.5, (0.25, 0.75))]
    plots = [leaderboard_picture.plot(scores, "efficiency")]
    plot_page.write(tmp_path / "leaderboard.html", "Toy", plots)
    return tmp_path


@pytest.fixture
def visit(browser, pages):
    """Open a page; whatever it logs or asks for is a failure at the end."""
    wrong, contexts = [], []

    def open_page(name, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        shown = context.new_page()
        own = ((pages / f"{name}.html").as_uri(), "data:", "blob:")
        shown.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on(
            "request", lambda request: request.url.startswith(own) or wrong.append(request.url)
        )
        shown.goto(own[0])
        return shown

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_pages_are_drawn_fit_and_are_accessible(visit, name, viewport, scheme):
    """Every plot is drawn, nothing is wider than the window, and axe-core finds no violation."""
    shown = visit(name, viewport, color_scheme=scheme, bypass_csp=True)
    assert shown.evaluate(DRAWN) == {"fabric": 1, "trace": 3, "serving": 9, "leaderboard": 1}[name]
    assert shown.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    package = importlib.util.find_spec("axe_core_python")
    if package is None:
        pytest.skip("pip install axe-core-python")
    (axe,) = Path(package.submodule_search_locations[0]).rglob("axe.min.js")
    shown.evaluate(axe.read_text(encoding="utf-8"))
    result = shown.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    violations = [
        {"id": one["id"], "where": one["nodes"][0]["html"][:200]} for one in result["violations"]
    ]
    assert violations == [], json.dumps(violations, indent=1)


@pytest.mark.parametrize("name", NAMES)
def test_titles_and_plots_follow_the_scheme(visit, name):
    """In dark mode the title is light, and page and plots have the same dark ground."""
    shown = visit(name, color_scheme="dark")
    shown.evaluate(DRAWN)
    assert shown.evaluate("getComputedStyle(document.querySelector('h1')).color") == (
        "rgb(230, 232, 234)"
    )
    ground = "getComputedStyle(document.querySelector('.panel')).backgroundColor"
    paper = "document.querySelector('.plot .main-svg').style.background"
    assert shown.evaluate(ground) == shown.evaluate(paper) == "rgb(25, 29, 32)"
    shown.emulate_media(color_scheme="light")
    shown.wait_for_function(f"() => {paper} === 'rgb(255, 255, 255)'")


def test_hover_says_the_load_of_an_expert(visit):
    """Typed arrays reach the text: expert 3 of layer 1 has 6.25 times the mean."""
    shown = visit("trace")
    shown.evaluate(DRAWN)
    area = shown.locator(".plot").first.locator(".nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    # 8 experts across, layer 0 at the top
    shown.mouse.move(box["x"] + box["width"] * 3.5 / 8, box["y"] + box["height"] * 0.75)
    text = shown.locator(".hoverlayer .hovertext").first
    text.wait_for(timeout=5_000)
    assert text.text_content() == "layer 1, expert 3: 6.25 × mean"


def test_a_name_with_markup_is_text(visit):
    """Names of candidates are untrusted: they are shown as text."""
    shown = visit("leaderboard")
    shown.evaluate(DRAWN)
    assert shown.locator(".ytick").all_text_contents() == ["<i>own</i>"]
