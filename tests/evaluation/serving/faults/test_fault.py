"""Faults end with their repair, and are put in order."""

import math

from evaluation.serving.faults.fault import Fault, in_order


def test_a_fault_ends_with_its_repair() -> None:
    """A fault that is never repaired ends never."""
    assert Fault(10, "a", "die", lasts_s=5).ends_s == 15
    assert Fault(12, "a", "node").ends_s == math.inf


def test_a_device_is_named_by_its_name_or_index() -> None:
    """Messages and the timeline use the name where the fault has one."""
    assert Fault(10, "a", "die", 3).device == "die 3"
    assert Fault(10, "a", "link", name="0:1").label == "fault of a at 10 s, link 0:1"


def test_faults_are_put_in_order() -> None:
    """By time; those of one time stay as given."""
    late, one, other = Fault(2, "a", "die"), Fault(1, "b", "die"), Fault(1, "a", "die")
    assert in_order([late, one, other]) == (one, other, late)
