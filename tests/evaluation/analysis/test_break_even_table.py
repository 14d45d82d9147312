"""The break-even map in the terminal."""

import dataclasses
import io

from rich.console import Console

from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting
from evaluation.analysis.break_even_table import render

CELL = BreakEvenCell(0.0, 8, 16, 1, 1.0, 1.2, 1.0, 1.1, 0.01, 8, 8, True)
GRID = BreakEvenGrid((0.0, 1.0), (8,), (16,), (1,), (1.0,))
CELLS = [CELL, dataclasses.replace(CELL, skew=1.0, replicas_s=0.9, fits=False)]


def _text(cells, against="rearranged"):
    console = Console(file=io.StringIO(), width=110)
    render(cells, GRID, BreakEvenSetting(), against, console)
    return console.file.getvalue()


def test_changes_signs_and_break_even():
    """Ten per cent either way: half-way between the skews; a batch without memory is marked."""
    text = _text(CELLS)
    assert "+10.0%" in text
    assert "-10.0%†" in text
    assert "0.50" in text.split("pays from")[1]
    assert "pay in 1 of 2 cells and cost in 1" in text
    assert "† 1 batches do not fit" in text


def test_against_contiguous_all_pays():
    """From the least skew there is."""
    assert "<= 0" in _text(CELLS, "contiguous").split("pays from")[1]


def test_never():
    """No cell pays."""
    assert "never" in _text([CELL, dataclasses.replace(CELL, skew=1.0)]).split("pays from")[1]
