"""Pages as text: whole, safe, and linked with each other."""

import copy
import posixpath
import random
import re
from html.parser import HTMLParser

import pytest

from evaluation.report.record_validation import check
from evaluation.report.site_pages import build
from tests.evaluation.report import made

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """What a browser would find in a page: elements in balance, addresses, ids and attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.attributes = [], [], [], []
        self.scripts = 0
        self.feed(text)
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        found = dict(attrs)
        self.attributes += [name for name, _ in attrs]
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.ids += [found["id"]] if "id" in found else []
        self.scripts += tag == "script" and "src" not in found and "type" not in found
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Take the last element off, which must be this one."""
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def site():
    """A report of everything there can be."""
    return build(made.everything(), ["a.json: <b>broken</b>"], title="Toys & co")


def test_pages_are_well_formed(site):
    """Every element that is opened is closed, and no id is given twice."""
    for name, text in site.items():
        page = Page(text)
        assert len(set(page.ids)) == len(page.ids), name


def test_links_lead_somewhere(site):
    """Every address in the report is one of its pages or assets; nothing comes from afar."""
    assets = {
        f"assets/{name}"
        for name in ("site.css", "site.js", "plot_theme.js", "plots.js", "plotly.min.js")
    }
    for name, text in site.items():
        for link in Page(text).links:
            if link.startswith(("https://doi.org/", "https://arxiv.org/", "data:", "#")):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
            assert path in {*site, *assets}, f"{name}: {link}"


def test_nothing_from_a_record_is_markup(site):
    """A record may hold a script in its name or reason; it is shown and never run."""
    for name, text in site.items():
        page = Page(text)
        assert page.scripts == 0, name
        assert not any(attribute.startswith("on") for attribute in page.attributes), name
        assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in site["index.html"]
    assert "a.json: &lt;b&gt;broken&lt;/b&gt;" in site["index.html"]


def test_failures_are_below_with_their_reason(site):
    """Who is infeasible is said, and not in the table."""
    table, _, below = site["index.html"].partition("Not scored")
    assert "every slot holds expert 0" in below
    assert "candidates/solver-zeros.html" not in table


def test_records_of_another_trace_have_a_table_of_their_own(site):
    """Its heading names the reason."""
    assert "Not compared · calm: another trace: cccccccc, not aaaaaaaa" in site["index.html"]


def test_same_records_same_site():
    """The pages follow from the records alone."""
    assert build(made.everything(), []) == build(made.everything(), [])


def test_long_reasons_are_cut():
    """A reason of a million letters does not make the page as long."""
    text = build([made.solver(), made.failed(reason="x" * 10**6)], [])["index.html"]
    assert len(text) < 50_000
    assert "1,000,000 letters" in text


def test_one_record_is_enough():
    """The smallest report has a first page, a suite and a candidate."""
    assert set(build([made.solver()], [])) == {
        "index.html",
        "suites/toy-v1.html",
        "candidates/solver-greedy.html",
    }


def test_every_plot_has_words(site):
    """Each plot has a name, a sentence and a table, and its numbers as JSON."""
    text = site["suites/toy-v1.html"]
    plots = re.findall(r'<div class="plot" role="img" aria-label="([^"]+)"', text)
    assert len(plots) > 10
    assert all(plots)
    assert text.count('<script type="application/json">') == len(plots)
    assert text.count("<details><summary>") >= len(plots)


def test_a_suite_holds_one_kind():
    """Records of two kinds under one id have a page each."""
    mixed = made.forecaster() | {"suite": "toy-v1"}
    pages = build([made.solver(), mixed], [])
    assert "suites/toy-v1.html" in pages
    assert "toy-v1 (forecast)" in pages["index.html"]


def test_no_sound_record_breaks_a_page():
    """Whatever is changed or missing in a record, it is either named as unsound or drawn."""
    values = [None, 0, -1, 1e99, "", [], {}, "x", [1], {"a": 1}, True, [[1]], 10**30]
    built = 0
    for seed in range(60):
        chance = random.Random(seed)
        records = copy.deepcopy(chance.sample(made.everything(), 6))
        for record in records:
            _spoil(record, chance, values)
        kept = [record for record in records if _sound(record)]
        if kept:
            assert "index.html" in build(kept, [])
            built += 1
    assert built > 40


def _spoil(record, chance, values):
    """Change or remove one value somewhere in a record."""
    places, tables = [], [record]
    while tables:
        table = tables.pop()
        keys = list(table) if isinstance(table, dict) else range(len(table))
        places += [(table, key) for key in keys]
        tables += [table[key] for key in keys if isinstance(table[key], dict | list)]
    table, key = chance.choice(places)
    if chance.random() < 0.3:
        del table[key]
    else:
        table[key] = copy.deepcopy(chance.choice(values))


def _sound(record):
    """Say whether a record is sound."""
    try:
        check(record)
    except ValueError:
        return False
    return True
