"""Figures travel in a page as JSON that no text in them can break out of."""

import json

import pytest

from evaluation.report import theme


def test_no_text_ends_the_script():
    """A name may hold the end of the element it is written in; it is shown as text."""
    name = "</script><script>alert(1)</script>"
    text = theme.to_json(theme.figure([{"name": name, "y": [1.0]}]))
    assert "<" not in text
    found = json.loads(text)
    assert found["data"][0]["name"] == "&lt;/script>&lt;script>alert(1)&lt;/script>"


def test_own_line_breaks_stay_and_links_do_not():
    """Plotly draws links that a text holds; of markup only line breaks and bold are let through."""
    shown = theme.to_json({"data": [], "layout": {"title": '<b>a</b><br><a href="x">b</a>&amp;'}})
    assert json.loads(shown)["layout"]["title"] == ('<b>a</b><br>&lt;a href="x">b&lt;/a>&amp;amp;')


def test_not_a_number_is_no_json():
    """What a browser could not parse is an error here, not there."""
    with pytest.raises(ValueError, match="JSON"):
        theme.to_json({"data": [{"y": [float("nan")]}]})


def test_short_keeps_four_digits():
    """Drawn numbers have as many digits as can be seen."""
    assert theme.short([0.123456, 123456.0]) == [0.1235, 123500.0]


def test_colours_are_distinct():
    """No two candidates share a colour."""
    assert len(set(theme.COLOURS)) == len(theme.COLOURS)
