"""BreakEvenGrid, setting and cells of the break-even map."""

import dataclasses
import math

import pytest

from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting

CELL = BreakEvenCell(1.0, 32, 16, 1, 1.0, 5e-4, 4e-4, 3e-4, 0.01, 32, 32, True)


def test_a_grid_counts_its_cells():
    """Every combination once."""
    assert len(BreakEvenGrid((0, 1), (8,), (16, 32), (1, 2, 4), (1,))) == 12


def test_change_is_of_the_time_of_a_token():
    """Alike batches: of the step; a batch of half takes twice the time a token."""
    assert CELL.change() == pytest.approx(-0.25)
    assert CELL.change("contiguous") == pytest.approx(-0.4)
    assert dataclasses.replace(CELL, batch_with=16).change() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("replicas_s", "verdict"), [(3e-4, "pays"), (5e-4, "costs"), (4.05e-4, "even"), (4e-4, "even")]
)
def test_verdicts(replicas_s, verdict):
    """Two standard errors decide."""
    assert dataclasses.replace(CELL, replicas_s=replicas_s).verdict == verdict


def test_no_room_costs():
    """Slots that leave no batch cost everything."""
    full = dataclasses.replace(CELL, replicas_s=math.nan, batch_with=0, error=0.0)
    assert full.change() == math.inf
    assert full.verdict == "costs"


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ("skew", (-0.1,)),
        ("skew", (math.nan,)),
        ("batch", (0,)),
        ("ranks", ()),
        ("redundant", (0,)),
        ("bandwidth", (0.0,)),
        ("batch", (8, 8)),
        ("bandwidth", (math.inf,)),
    ],
)
def test_wrong_axes_are_refused(axis, values):
    """Each axis has a least number, and numbers once."""
    with pytest.raises(ValueError, match=f"{axis} = .*: give numbers >="):
        BreakEvenGrid(**{axis: values})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kv_tokens": 0.0}, "kv_tokens = 0.0 breaks 0 < kv_tokens"),
        ({"kv_tokens": math.nan}, "kv_tokens = nan"),
        ({"window_steps": 0}, "window_steps = 0 < 1"),
        ({"steps": 0}, "steps = 0 < 1"),
        ({"layers": 1}, "layers = 1 < 2"),
        ({"seed": -1}, "seed = -1 < 0"),
    ],
)
def test_wrong_settings_are_refused(change, message):
    """With the inequality that fails."""
    with pytest.raises(ValueError, match=message):
        BreakEvenSetting(**change)
