"""The break-even map as plain data and in files."""

import csv
import dataclasses

import pytest

from evaluation.analysis import break_even_report
from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting

CELL = BreakEvenCell(0.0, 8, 16, 1, 1.0, 1.2, 1.0, 1.1, 0.01, 8, 8, True)
GRID = BreakEvenGrid((0.0, 1.0), (8,), (16,), (1,), (1.0,))
CELLS = [CELL, dataclasses.replace(CELL, skew=1.0, replicas_s=0.9, fits=False)]


def test_a_slot_displaces_cache():
    """58 layers of 3 · 7168 · 2048 bytes against 61 of 576 elements of 2 bytes a token."""
    cost = break_even_report.slot_cost(BreakEvenSetting())
    assert cost["bytes"] == 58 * 3 * 7168 * 2048
    assert cost["kv_tokens"] == pytest.approx(cost["bytes"] / (61 * 576 * 2))
    assert cost["sequences"] == pytest.approx(cost["kv_tokens"] / 2048)
    assert cost["memory"] == cost["bytes"] / 64e9


def test_csv_is_the_rows(tmp_path):
    """With a header, whole or not at all."""
    break_even_report.write_csv(CELLS, tmp_path / "map.csv")
    with (tmp_path / "map.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == ["costs", "pays"]
    assert [row["skew"] for row in rows] == ["0.0", "1.0"]
    assert list(tmp_path.iterdir()) == [tmp_path / "map.csv"]


def test_break_evens_name_the_combination():
    """One entry for each batch, EP size, redundancy and bandwidth."""
    (entry,) = break_even_report.break_evens(CELLS, GRID, "rearranged")
    skew = entry.pop("skew")
    # +10 % at skew 0, -10 % at skew 1: zero is half-way
    assert skew == pytest.approx(0.5)
    assert entry == {"batch": 8, "ranks": 16, "redundant": 1, "bandwidth": 1.0}
