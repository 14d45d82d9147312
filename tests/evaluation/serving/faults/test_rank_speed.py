"""Slow dies slow the ranks on them."""

import numpy as np

from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.rank_speed import rank_speed


def test_slow_dies_multiply(decode) -> None:
    """Two faults slow die 3 to 0.5 × 0.8 = 0.4; other executors and kinds change nothing."""
    faults = [
        Fault(0, "decode-0", "slow", 3, speed=0.5),
        Fault(0, "decode-0", "slow", 3, speed=0.8),
        Fault(0, "prefill-0", "slow", 1, speed=0.1),
        Fault(0, "decode-0", "die", 2),
    ]
    expected = np.ones(32)
    expected[3] = 0.4
    np.testing.assert_allclose(rank_speed(faults, decode), expected)
