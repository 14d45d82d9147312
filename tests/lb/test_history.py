"""Histories to learn from, as arrays and as traces."""

import numpy as np
import pytest

from lb.forecasters.history import history_of, windows_of

STEPS = np.arange(1.0, 31.0).reshape(5, 2, 3)


class Trace:
    """Two blocks that do not end where a window does."""

    def blocks(self):
        """Yield them."""
        for part in (STEPS[:1], STEPS[1:]):
            yield type("Block", (), {"counts": part.astype(np.int32)})


@pytest.mark.parametrize("history", [STEPS, STEPS.tolist(), Trace()])
def test_steps_are_summed_into_whole_windows(history):
    """Two windows of two steps; the fifth step is left out."""
    expected = [STEPS[0] + STEPS[1], STEPS[2] + STEPS[3]]
    np.testing.assert_array_equal(history_of(history, 2), expected)
    np.testing.assert_array_equal(history_of(history), STEPS)


def test_windows_come_one_by_one():
    """The first is there before a later block is read."""

    class Endless:
        def blocks(self):
            while True:
                yield type("Block", (), {"counts": STEPS.astype(np.int32)})

    np.testing.assert_array_equal(next(windows_of(Endless(), 2)), STEPS[0] + STEPS[1])


@pytest.mark.parametrize(
    ("history", "size", "message"),
    [
        (STEPS, 6, "the history has no window of 6 steps; give fewer"),
        (STEPS, 0, "window_steps = 0 < 1"),
        (STEPS[0], 1, r"give \[windows, layers, experts\]"),
        ("a trace", 1, "load has dtype"),
        (-STEPS, 1, "must be finite and >= 0"),
    ],
)
def test_wrong_histories_are_refused(history, size, message):
    """With what is wrong."""
    with pytest.raises(ValueError, match=message):
        history_of(history, size)
