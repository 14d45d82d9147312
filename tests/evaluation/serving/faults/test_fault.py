"""Faults know when they hold."""

import math

import numpy as np

from evaluation.serving.faults.fault import Fault, active, in_order, rank_speed


def test_a_fault_holds_from_its_time_until_its_repair() -> None:
    """The first moment counts, the last does not; never repaired is for good."""
    short, ever = Fault(10, "a", "die", lasts_s=5), Fault(12, "a", "node")
    other = Fault(0, "b", "die")
    assert active([short, ever, other], "a", 9.99) == ()
    assert active([short, ever, other], "a", 10) == (short,)
    assert active([short, ever, other], "a", 14.99) == (short, ever)
    assert active([short, ever, other], "a", 15) == (ever,)
    assert ever.ends_s == math.inf


def test_slow_dies_multiply(decode) -> None:
    """Two causes on one die; other executors and kinds change nothing."""
    faults = [
        Fault(0, "decode-0", "slow", 3, speed=0.5),
        Fault(0, "decode-0", "slow", 3, speed=0.8),
        Fault(0, "prefill-0", "slow", 1, speed=0.1),
        Fault(0, "decode-0", "die", 2),
    ]
    expected = np.ones(32)
    expected[3] = 0.4
    np.testing.assert_allclose(rank_speed(faults, decode), expected)


def test_faults_are_put_in_order() -> None:
    """By time; those of one time stay as given."""
    late, one, other = Fault(2, "a", "die"), Fault(1, "b", "die"), Fault(1, "a", "die")
    assert in_order([late, one, other]) == (one, other, late)
