"""The map in words and files."""

import csv
import dataclasses
import io

import pytest
from rich.console import Console

from evaluation.analysis import break_even_view as view
from evaluation.analysis.break_even_grid import Cell, Grid, Setting

CELL = Cell(0.0, 8, 16, 1, 1.0, 1.2, 1.0, 1.1, 0.01, 8, 8, True)
GRID = Grid((0.0, 1.0), (8,), (16,), (1,), (1.0,))
CELLS = [CELL, dataclasses.replace(CELL, skew=1.0, replicas_s=0.9, fits=False)]


def _text(cells, against="rearranged"):
    console = Console(file=io.StringIO(), width=110)
    view.render(cells, GRID, Setting(), against, console)
    return console.file.getvalue()


def test_changes_signs_and_break_even():
    """Ten per cent either way: half-way between the skews; a batch without memory is marked."""
    said = _text(CELLS)
    assert "+10.0%" in said
    assert "-10.0%†" in said
    assert "0.50" in said.split("pays from")[1]
    assert "pay in 1 of 2 cells and cost in 1" in said
    assert "† 1 batches do not fit" in said


def test_against_contiguous_all_pays():
    """From the least skew there is."""
    assert "<= 0" in _text(CELLS, "contiguous").split("pays from")[1]


def test_never():
    """No cell pays."""
    assert "never" in _text([CELL, dataclasses.replace(CELL, skew=1.0)]).split("pays from")[1]


def test_a_slot_displaces_cache():
    """58 layers of 3 · 7168 · 2048 bytes against 61 of 576 elements of 2 bytes a token."""
    cost = view.slot_cost(Setting())
    assert cost["bytes"] == 58 * 3 * 7168 * 2048
    assert cost["kv_tokens"] == pytest.approx(cost["bytes"] / (61 * 576 * 2))
    assert cost["sequences"] == pytest.approx(cost["kv_tokens"] / 2048)
    assert cost["memory"] == cost["bytes"] / 64e9


def test_csv_is_the_rows(tmp_path):
    """With a header, whole or not at all."""
    view.write_csv(CELLS, tmp_path / "map.csv")
    with (tmp_path / "map.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [row["verdict"] for row in found] == ["costs", "pays"]
    assert [row["skew"] for row in found] == ["0.0", "1.0"]
    assert list(tmp_path.iterdir()) == [tmp_path / "map.csv"]


def test_break_evens_name_the_combination():
    """One entry for each batch, EP size, redundancy and bandwidth."""
    (found,) = view.break_evens(CELLS, GRID, "rearranged")
    skew = found.pop("skew")
    assert skew == pytest.approx(0.5)
    assert found == {"batch": 8, "ranks": 16, "redundant": 1, "bandwidth": 1.0}
