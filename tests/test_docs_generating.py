"""The Python in docs/generating.md runs, and its tables say what is so."""

import re
from pathlib import Path

import pytest

from traces.generators import PRESETS

PAGE = Path(__file__).parent.parent / "docs" / "generating.md"


@pytest.fixture(scope="module")
def left():
    """Run the page once; return what it leaves."""
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
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
    assert set(re.findall(r"^\| `([a-z0-9-]+)`", section, re.M)) == set(PRESETS)


def _text():
    return PAGE.read_text(encoding="utf-8")
