"""Rows of a token and a layer each become tokens, however they are cut."""

import numpy as np
import pytest

from traces.formats.token_rows import TokenRows, joined

IDS = np.arange(24).reshape(4, 3, 2)
ROWS = {
    "token": np.repeat([5, 6, 2, 9], 3),
    "layer": np.tile([1, 4, 7], 4),
    "experts": IDS.reshape(12, 2),
    "step": np.repeat([0, 0, 1, 1], 3),
}


def cut(start, stop):
    """Return some of the rows."""
    return {name: column[start:stop] for name, column in ROWS.items()}


@pytest.mark.parametrize("at", [4, 5, 6, 9, 11])
def test_tokens_are_whole_wherever_rows_are_cut(at):
    """What is left of one call goes on in the next."""
    tokens = TokenRows()
    found = [tokens.whole(cut(0, at), ["step"]), tokens.whole(cut(at, 12), ["step"])]
    tokens.check_end()
    parts = [part for part in found if part is not None]
    np.testing.assert_array_equal(np.concatenate([part["experts"] for part in parts]), IDS)
    np.testing.assert_array_equal(np.concatenate([part["step"] for part in parts]), [0, 0, 1, 1])


def test_a_last_token_without_all_layers():
    """It is told when the rows have ended."""
    tokens = TokenRows()
    tokens.whole(cut(0, 8), [])
    with pytest.raises(ValueError, match="the last token 2 has 2 layers, others have 3"):
        tokens.check_end()


def test_rows_are_counted_through_all_calls():
    """The row that is wrong has its number in the file."""
    tokens = TokenRows()
    tokens.whole(cut(0, 6), [])
    wrong = cut(6, 12)
    wrong["layer"] = np.array([1, 4, 7, 1, 5, 7])
    with pytest.raises(ValueError, match="row 10 has token 9 and layer 5"):
        tokens.whole(wrong, [])


def test_rows_of_other_lists_do_not_join():
    """Nor of other columns."""
    with pytest.raises(ValueError, match=r"experts has \(2,\) layers and choices, then \(1,\)"):
        joined(cut(0, 3), cut(3, 6) | {"experts": np.zeros((3, 1))})
    with pytest.raises(ValueError, match=r"experts has \(2,\) layers and choices, then none"):
        joined({"experts": IDS[0]}, {})
