"""A timeline shows the phases of faults within its range."""

from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.fault_timeline import of_faults

DIE = Fault(2.0, "decode 0", "die", 3, lasts_s=20)
LOST = FailurePlan(
    ("decode 0",), 2.0, 5.0, 9.0, "colocated_s", lost_dies=(3,), kept_ranks=(0, 1, 2), returns_s=22
)


def shown(failures, start_s=0.0, end_s=100.0):
    """Return the name, start and end of each slice, in µs."""
    events = of_faults(failures, ["prefill 0", "decode 0"], StepLog(start_s, end_s))
    assert all(event["pid"] == 1 for event in events)
    begun, ended = ([e for e in events if e["ph"] == kind] for kind in "be")
    return [
        (first["name"], first["ts"], last["ts"]) for first, last in zip(begun, ended, strict=True)
    ]


def test_a_lost_die_has_three_phases():
    """A lost die is first unnoticed, then in recovery, then missing until its repair."""
    assert shown([(DIE, LOST)]) == [
        ("die 3: unnoticed", 2e6, 5e6),
        ("die 3: recovery, colocated_s", 5e6, 9e6),
        ("die 3: without its dies", 9e6, 22e6),
    ]


def test_what_is_outside_the_range_is_left_out():
    """Phases are cut at both ends of the range."""
    assert shown([(DIE, LOST)], 6.0, 8.0) == [("die 3: recovery, colocated_s", 6e6, 8e6)]
    assert shown([(DIE, LOST)], 30.0, 40.0) == []


def test_a_link_is_unnoticed_then_known():
    """A link that is repaired before its detection is never known; a lasting one is, to the end."""
    link = Fault(2.0, "decode 0", "link", name="a:b")
    plan = FailurePlan(("decode 0",), 2.0, 5.0, 5.0, rolled_back=True)
    assert shown([(link, plan)]) == [
        ("link a:b: unnoticed", 2e6, 5e6),
        ("link a:b: known", 5e6, 100e6),
    ]
    short = Fault(2.0, "decode 0", "link", name="a:b", lasts_s=1.0)
    assert shown([(short, FailurePlan((), 2.0, None, 3.0))]) == [("link a:b: unnoticed", 2e6, 3e6)]
