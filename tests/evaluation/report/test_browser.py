"""The report in a browser: read, sorted, filtered, drawn, by eye, keyboard and screen reader."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from evaluation.report.site_folder import write
from tests.evaluation.report import made

CHROMIUM = shutil.which("chromium")
#: Without them Chromium asks hosts of its own at every start.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = ("index.html", "suites/toy-v1.html", "candidates/solver-tuned.html")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="pip install playwright"
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A report of everything there can be, as a folder."""
    out = tmp_path_factory.mktemp("report") / "site"
    write(made.everything(), ["a.json: broken"], out)
    return out


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def visit(browser, site):
    """Open a page of the report; whatever it says or asks for is a failure at the end."""
    wrong, contexts = [], []

    def open_page(name, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(5_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((site.as_uri(), "data:", "blob:"))
                else wrong.append(f"request: {request.url}")
            ),
        )
        page.goto((site / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def texts(page, column, suite="toy-v1"):
    """Return the texts of a column of a suite's first table, of the visible rows."""
    return page.evaluate(
        """([suite, column]) => {
            const section = [...document.querySelectorAll(".suite")]
                .find((one) => one.dataset.suite === suite);
            return [...section.querySelector("table").tBodies[0].rows]
                .filter((row) => row.checkVisibility())
                .map((row) => row.cells[column].textContent.trim());
        }""",
        [suite, column],
    )


def heading(page, name):
    """Return the button of a column of the suite of solvers."""
    return table(page).get_by_role("button", name=name, exact=True)


def table(page):
    """Return the leaderboard of the suite of solvers."""
    return page.locator(".suite[data-suite=toy-v1] table.board").first


def test_columns_sort_both_ways_and_say_so(visit):
    """A click sorts, another turns the order; the heading says which, to all readers."""
    page = visit("index.html")
    assert texts(page, 1)[0] == "robust"
    heading(page, "efficiency").click()
    falling = [float(text) for text in texts(page, 3)]
    assert falling == sorted(falling, reverse=True)
    cell = table(page).locator("th[aria-sort]")
    assert cell.get_attribute("aria-sort") == "descending"
    heading(page, "efficiency").click()
    assert [float(text) for text in texts(page, 3)] == falling[::-1]
    assert cell.get_attribute("aria-sort") == "ascending"
    heading(page, "solver").click()
    names = texts(page, 1)
    assert names == sorted(names, key=str.lower)
    assert cell.count() == 1


def test_columns_sort_by_keyboard(visit):
    """Tab reaches a heading, Enter and Space sort, and the focus is seen."""
    page = visit("index.html")
    heading(page, "solver").focus()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.text_content() == "dispatcher"
    assert focused.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert texts(page, 2)[0] == "even"
    page.keyboard.press("Space")
    assert texts(page, 2)[0] == "optimal"


def test_filters(visit):
    """Text, suite, scenario and dispatcher each leave what they name, and how much is said."""
    page = visit("index.html")
    everything = len(texts(page, 1))
    page.get_by_label("Search").fill("robust opt")
    assert texts(page, 1) == ["robust"]
    assert page.locator(".found").text_content() == "1 row"
    page.get_by_label("Search").fill("no such name")
    assert "Nothing matches" in page.locator(".found").text_content()
    page.get_by_label("Search").fill("")
    page.get_by_label("Dispatcher").select_option("even")
    assert set(texts(page, 2)) == {"even"}
    page.get_by_label("Dispatcher").select_option("*")
    page.get_by_label("Scenario").select_option("shift")
    assert texts(page, 3)[0] == "0.7510"
    page.get_by_label("Scenario").select_option("*")
    assert len(texts(page, 1)) == everything
    page.get_by_label("Suite", exact=True).select_option("guess-v1")
    assert page.locator(".suite:visible").count() == 1
    assert texts(page, 1, "guess-v1") == ["last", "mean"]


def test_skip_link_is_first(visit):
    """The first stop of the keyboard jumps over the navigation."""
    page = visit("index.html")
    page.keyboard.press("Tab")
    assert page.locator(":focus").text_content() == "Skip to the content"
    assert page.locator(":focus").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


#: Scrolls to every plot in sight, or to every view that may be chosen, until it has an axis.
DRAWN = """async (all) => {
    let count = 0;
    const wait = async (plot) => {
        plot.scrollIntoView({ block: "center" });
        const until = performance.now() + 60000;
        while (!plot.querySelector(".xtick text")) {
            if (performance.now() > until) throw new Error(plot.ariaLabel);
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        count += 1;
    };
    for (const panel of document.querySelectorAll(".panel")) {
        await wait(panel.querySelector(".view:not([hidden]) .plot"));
        for (const option of all ? [...panel.querySelectorAll("option")].slice(1) : []) {
            option.parentElement.closest("select").value = option.value;
            panel.querySelector("select").dispatchEvent(new Event("input"));
            const shown = panel.querySelectorAll(".view:not([hidden])");
            if (shown.length !== 1) throw new Error(`${shown.length} views at once`);
            await wait(shown[0].querySelector(".plot"));
        }
    }
    return count;
}"""


@pytest.mark.parametrize(
    "name", ["suites/guess-v1.html", "suites/hours-v1.html", "candidates/solver-tuned.html"]
)
def test_every_plot_is_drawn(visit, name):
    """Every panel of a page shows its first plot once it comes in sight."""
    page = visit(name)
    panels = page.locator(".panel").count()
    assert panels > 0
    assert page.evaluate(DRAWN, False) == panels


def test_every_view_is_drawn(visit, site):
    """Only the chosen view of a panel is drawn; an untrusted name is shown as text."""
    page = visit("suites/toy-v1.html")
    views = (site / "suites" / "toy-v1.html").read_text().count('class="plot"')
    assert page.evaluate(DRAWN, True) == views
    names = page.locator("#gap-to-best .ytick").all_text_contents()
    assert '<script>alert("x")</script> · even' in names


def test_dark_is_dark_in_plots_too(visit):
    """In dark mode page and plots have a dark ground, and change with the reader's choice."""
    page = visit("suites/toy-v1.html", color_scheme="dark")
    page.evaluate(DRAWN, False)
    ground = "getComputedStyle(document.querySelector('.panel')).backgroundColor"
    paper = "document.querySelector('.plot .main-svg').style.background"
    assert page.evaluate(ground) == page.evaluate(paper) == "rgb(25, 29, 32)"
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"() => {paper} === 'rgb(255, 255, 255)'")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_readable_without_scripts(visit):
    """With scripts switched off, tables and numbers of the plots are there."""
    page = visit("index.html", java_script_enabled=False)
    assert page.locator("tbody tr:visible").count() > 5
    page.goto(page.url.replace("index.html", "suites/toy-v1.html"))
    page.locator("#over-time .view:not([hidden]) summary").click()
    assert page.locator("#over-time .view:not([hidden]) table").is_visible()


def test_still_for_those_who_ask(visit):
    """Who prefers less motion gets no transition."""
    page = visit("index.html", reduced_motion="reduce")
    seconds = "getComputedStyle(document.querySelector('nav a')).transitionDuration"
    assert page.evaluate(seconds) == "0s"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_fits_and_is_accessible(visit, name, viewport, scheme):
    """No page is wider than the window, and axe-core finds no obstacle."""
    found = importlib.util.find_spec("axe_core_python")
    page = visit(name, viewport, color_scheme=scheme, bypass_csp=True)
    page.evaluate(DRAWN, False)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    if found is None:
        pytest.skip("pip install axe-core-python")
    (axe,) = Path(found.submodule_search_locations[0]).rglob("axe.min.js")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(axe.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    violations = [
        {"id": one["id"], "impact": one["impact"], "where": one["nodes"][0]["html"][:200]}
        for one in result["violations"]
    ]
    assert violations == [], json.dumps(violations, indent=1)
