"""Figures travel in a page as JSON that no text in them can break out of."""

import base64
import json

import numpy as np
import pytest

from evaluation.report import assets, theme


def test_no_text_ends_the_script():
    """A name may hold the end of the element it is written in; it is shown as text."""
    name = "</script><script>alert(1)</script>"
    text = theme.to_json(theme.figure([{"name": name, "y": [1.0]}]))
    assert "<" not in text
    result = json.loads(text)
    assert result["data"][0]["name"] == "&lt;/script>&lt;script>alert(1)&lt;/script>"


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


def test_arrays_are_typed():
    """Plotly reads an array as base64 of float32 with its shape; NaN may be in it."""
    text = theme.to_json({"data": [{"z": np.array([[1.5, np.nan]])}], "layout": {}})
    typed = json.loads(text)["data"][0]["z"]
    assert (typed["dtype"], typed["shape"]) == ("f4", "1, 2")
    values = np.frombuffer(base64.b64decode(typed["bdata"]), "<f4")
    np.testing.assert_array_equal(values, [1.5, np.nan])


def test_page_colours_are_those_of_the_style():
    """Dark mode replaces colours of light mode."""
    light, dark = theme.page_colours("light"), theme.page_colours("dark")
    assert set(light) == set(dark)
    assert light["surface"] == "#ffffff"
    assert dark["surface"] != light["surface"]


def test_the_page_has_the_same_diverging_scale():
    """The script of the pages and the images end the scale in the same colours."""
    script = assets.asset_text("plot_theme.js")
    assert f'[0, "{theme.BELOW}"]' in script
    assert f'[1, "{theme.ABOVE}"]' in script
    assert f'meta !== "{theme.DIVERGING}"' in script
