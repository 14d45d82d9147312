"""The Python in docs/generating.md runs, and its tables say what is so."""

import contextlib
import re
from pathlib import Path

import pytest

from tools import measure_loads
from traces.generators import PRESETS

PAGE = Path(__file__).parent.parent / "docs" / "generating.md"


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Run the page once, in a folder of its own; return what it leaves."""
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    with contextlib.chdir(tmp_path_factory.mktemp("page")):
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_a_law_streams(left):
    """Pieces of all steps, and tokens in steps."""
    assert left["piece"].counts.shape[1:] == (58, 256)
    assert left["tokens"].num_tokens == 4 * 64


def test_the_table_of_statistics_is_what_compare_says(left):
    """Recorded numbers, those of 48 kinds within 0.02 or 2 %, and the crosses."""
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+) \| [\d. ✗]+ \| ([\d.]+)( ✗)? \|$", _text(), re.M)
    assert [row[0] for row in rows] == [row.name for row in left["rows"]]
    for (_, recorded, generated, cross), row in zip(rows, left["rows"], strict=True):
        assert float(recorded) == pytest.approx(row.recorded, abs=6e-4)
        assert float(generated) == pytest.approx(row.generated, abs=0.02, rel=0.02)
        assert bool(cross) != row.met


def test_every_preset_has_its_row():
    """And no other."""
    section = _text().split("## Presets\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", section, re.M)
    assert set(re.findall(r"`([a-z0-9-]+)`", " ".join(first_cells))) == set(PRESETS)


@pytest.mark.parametrize(
    "table", ["conditions", "percentiles", "distances", "directions", "served"]
)
def test_the_tables_of_loads_are_what_is_measured(table):
    """Line by line as tools/measure_loads.py prints them."""
    for line in getattr(measure_loads, table)():
        assert line in _text()


def test_the_loads_on_the_page_run(left):
    """Two stretches of a schedule, and a law of modes with its file."""
    assert left["shift"].domains == 2
    assert left["again"].shape == (58, 256)


def _text():
    return PAGE.read_text(encoding="utf-8")
