"""What a fault takes down, by mode of recovery."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.failure_planning import plan_failure
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.recovery import MODES, Recovery
from hardware import Fabric
from lb import Placement

RULES = {mode: Recovery(mode=mode) for mode in MODES}


def test_restart_the_world_stops_all(decode, prefills) -> None:
    """Every executor loses every cache; a spare makes them whole."""
    fault = Fault(10.5, "prefill-1", "die", 3)
    plan = plan_failure(fault, [*prefills, decode], RULES["restart-the-world"])
    assert plan.executors == ("prefill-1", "prefill-0", "decode-0")
    assert (plan.failed_s, plan.detected_s) == (10.5, 13)
    assert plan.resumed_s == pytest.approx(13 + 83.1)
    assert plan.restart
    assert plan.lost_groups == (0, 1, 2, 3)
    assert plan.kept_ranks == tuple(range(16))
    assert plan.returns_s is None


def test_failover_stops_one(decode, prefills) -> None:
    """Only the executor that failed starts anew."""
    plan = plan_failure(Fault(0, "decode-0", "node", 1), [*prefills, decode], RULES["failover"])
    assert plan.executors == ("decode-0",)
    assert plan.restart
    assert not plan.killed
    assert plan.lost_dies == tuple(range(16, 32))
    assert plan.resumed_s == pytest.approx(3 + 83.1)


def test_a_prefill_executor_dies_that_decode_lives(decode, prefills) -> None:
    """Without spares the last of two gives its dies, until the repair and its own restart."""
    rules = Recovery(mode="failover", spares=False)
    fault = Fault(0, "decode-0", "die", 1, lasts_s=600)
    plan = plan_failure(fault, [*prefills, decode], rules)
    assert (plan.executors, plan.killed) == (("decode-0", "prefill-1"), "prefill-1")
    assert plan.resumed_s == pytest.approx(86.1)
    assert plan.killed_resumes_s == pytest.approx(600 + 83.1)
    never = plan_failure(dataclasses.replace(fault, lasts_s=None), [*prefills, decode], rules)
    assert never.killed_resumes_s is None
    assert never.resumed_s == plan.resumed_s


def test_the_last_prefill_executor_is_not_killed(decode, prefills) -> None:
    """Nor one with too few dies, nor for another that prefills: then the repair is awaited."""
    rules = Recovery(mode="failover", spares=False)
    fault = Fault(0, "decode-0", "die", 1, lasts_s=600)
    down = dataclasses.replace(prefills[1], lost_dies=frozenset(range(16)))
    small = ExecutorDies("prefill-2", "prefill", 8, 8, 1)
    for fault_, others in (
        (fault, prefills[:1]),
        (fault, [prefills[0], down]),
        (Fault(0, "decode-0", "node", 1, lasts_s=600), [small, small]),
        (Fault(0, "prefill-0", "die", 1, lasts_s=600), prefills),
    ):
        plan = plan_failure(fault_, [*others, decode], rules)
        assert not plan.killed
        assert plan.resumed_s == pytest.approx(600 + 83.1)
    never = plan_failure(Fault(0, "prefill-0", "die"), [*prefills, decode], rules)
    assert never.resumed_s is None
    assert never.restart


@pytest.mark.parametrize(
    ("mode", "die", "path", "missing"),
    [
        ("shrink", 0, "colocated_s", False),
        ("shrink", 31, "colocated_s", False),
        ("shrink", 5, "colocated_load_s", False),
        ("missing-experts", 0, "colocated_s", False),
        ("missing-experts", 5, "colocated_s", True),
    ],
)
def test_colocated_paths(decode, mode, die, path, missing) -> None:
    """A die takes its DP group and its expert; a replica elsewhere saves loading it."""
    plan = plan_failure(Fault(0, "decode-0", "die", die, lasts_s=500), [decode], RULES[mode])
    assert (plan.path, plan.missing) == (path, missing)
    assert plan.resumed_s == pytest.approx(3 + getattr(RULES[mode], path))
    assert not plan.restart
    assert plan.lost_groups == (die,)
    assert plan.kept_ranks == tuple(rank for rank in range(32) if rank != die)
    assert plan.returns_s == 500


@pytest.mark.parametrize(
    ("mode", "kind", "index", "path", "groups", "ranks"),
    [
        ("shrink", "die", 3, "attention_die_s", (1,), (8, 9, 10, 11)),
        ("shrink", "die", 8, "redundant_expert_s", (), (9, 10, 11)),
        ("shrink", "die", 9, "role_switch_s", (), (8, 10, 11)),
        ("missing-experts", "die", 9, "missing_expert_s", (), (8, 10, 11)),
        ("missing-experts", "die", 11, "redundant_expert_s", (), (8, 9, 10)),
        ("missing-experts", "node", 0, "attention_die_s", (0, 1), (8, 9, 10, 11)),
        ("missing-experts", "node", 2, "full_restart_s", (0, 1, 2, 3), (8, 9, 10, 11)),
    ],
)
def test_disaggregated_paths(apart, mode, kind, index, path, groups, ranks) -> None:
    """Attention takes DP groups, experts take ranks; without any expert left it restarts."""
    plan = plan_failure(Fault(0, "decode-0", kind, index), [apart], RULES[mode])
    assert plan.path == path
    assert plan.lost_groups == groups
    assert plan.kept_ranks == ranks
    assert plan.restart == (path == "full_restart_s")
    assert plan.returns_s is None


def test_the_slowest_path_counts() -> None:
    """A node with attention and experts on it."""
    placement = Placement([[0, 1, 2, 0]], 4)
    mixed = ExecutorDies("a", "decode", 8, 3, 4, 4, placement)
    plan = plan_failure(Fault(0, "a", "node", 1), [mixed], RULES["shrink"])
    assert plan.lost_dies == (3, 4, 5)
    assert plan.lost_groups == (3,)
    assert plan.path == "role_switch_s"


def test_prefill_does_not_shrink(prefills) -> None:
    """It fails over instead; it may go on without some experts."""
    fault = Fault(0, "prefill-0", "die")
    assert plan_failure(fault, prefills, RULES["shrink"]).restart
    assert plan_failure(fault, prefills, RULES["missing-experts"]).missing


def test_no_shrink_beyond_memory_or_the_last_group(decode) -> None:
    """31 experts do not fit 31 - 1 dies of one slot; the only DP group cannot be lost."""
    full = dataclasses.replace(decode, most_slots=1)
    assert not plan_failure(Fault(0, "decode-0", "die", 5), [full], RULES["shrink"]).restart
    again = dataclasses.replace(
        full, placement=None, placed_on=None, lost_dies=frozenset({5}), groups=32
    )
    table = Placement([[*range(31)]], 31)
    again = dataclasses.replace(again, placement=table)
    assert plan_failure(Fault(0, "decode-0", "die", 6), [again], RULES["shrink"]).restart
    alone = dataclasses.replace(decode, groups=1)
    assert plan_failure(Fault(0, "decode-0", "die", 0), [alone], RULES["missing-experts"]).restart


def test_experts_that_were_lost_before_count(decode) -> None:
    """Expert 0 has a replica on die 31, unless die 31 is lost already."""
    before = dataclasses.replace(decode, lost_dies=frozenset({31}), placed_on=tuple(range(32)))
    fault = Fault(0, "decode-0", "die", 0)
    assert not plan_failure(fault, [decode], RULES["missing-experts"]).missing
    assert plan_failure(fault, [before], RULES["missing-experts"]).missing


@pytest.mark.parametrize("mode", MODES)
def test_a_die_is_lost_once(decode, mode) -> None:
    """A second fault of it stops nothing; its node takes the others alone."""
    before = dataclasses.replace(decode, placement=None, placed_on=None, lost_dies=frozenset({3}))
    again = plan_failure(Fault(7, "decode-0", "die", 3), [before], RULES[mode])
    assert again.executors == again.lost_dies == again.lost_groups == ()
    assert again.resumed_s == 7
    node = plan_failure(Fault(7, "decode-0", "node", 0), [before], RULES[mode])
    assert node.lost_dies == (0, 1, 2, *range(4, 16))


@pytest.mark.parametrize("mode", MODES)
def test_what_stops_nothing(decode, mode) -> None:
    """A slow die; no cache is lost and no step computed again."""
    slow = Fault(4, "decode-0", "slow", 1, speed=0.5)
    assert plan_failure(slow, [decode], RULES[mode]).detected_s == 7
    hidden = plan_failure(dataclasses.replace(slow, detected=False), [decode], RULES[mode])
    assert hidden.detected_s is None
    assert not hidden.rolled_back
    assert hidden.lost_groups == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["link", "switch"])
def test_traffic_waits_for_new_routes(decode, mode, kind) -> None:
    """Until a broken path is noticed, or back; then one step is computed again."""
    plan = plan_failure(Fault(4, "decode-0", kind, lasts_s=9), [decode], RULES[mode])
    assert plan.executors == ("decode-0",)
    assert (plan.detected_s, plan.resumed_s, plan.returns_s) == (7, 7, 13)
    assert plan.rolled_back
    assert plan.lost_dies == plan.lost_groups == ()
    short = plan_failure(Fault(4, "decode-0", kind, lasts_s=0.5), [decode], RULES[mode])
    assert (short.detected_s, short.resumed_s) == (None, 4.5)


def test_dies_that_are_cut_off_are_lost(decode) -> None:
    """One link of the RDMA plane is all that a die has; of the other plane it needs eight."""
    rdma = Fabric.preset("cloudmatrix384", 32, "rdma")
    apart = dataclasses.replace(decode, planes={"rdma": rdma})
    cut = Fault(4, "decode-0", "link", name="die0.9:rdma", plane="rdma", lasts_s=100)
    plan = plan_failure(cut, [apart], RULES["shrink"])
    assert plan.lost_dies == plan.lost_groups == (9,)
    assert plan.returns_s == 104
    ways = [Fault(1, "decode-0", "link", name=f"die0.0:l1.0.{plane}") for plane in range(7)]
    last = Fault(4, "decode-0", "link", name="die0.0:die0.1")
    assert plan_failure(last, [decode], RULES["shrink"], ways).lost_dies == (0,)
    assert plan_failure(last, [decode], RULES["shrink"], ways[:-1]).lost_dies == ()


def test_a_straggler_is_noticed_after_its_own_delay(decode) -> None:
    """By default when a failure would be; never if it is not to be detected."""
    slow = Fault(4.5, "decode-0", "slow", 1, speed=0.5)
    assert plan_failure(slow, [decode], Recovery()).detected_s == 7
    assert plan_failure(slow, [decode], Recovery(straggler_s=30)).detected_s == 34.5
    hidden = dataclasses.replace(slow, detected=False)
    assert plan_failure(hidden, [decode], Recovery(straggler_s=30)).detected_s is None


def test_a_glitch_rolls_one_step_back(decode) -> None:
    """It stops the executor while it lasts, and takes no cache."""
    short = plan_failure(Fault(4, "decode-0", "glitch"), [decode], Recovery())
    assert (short.executors, short.resumed_s, short.rolled_back) == ((), 4, True)
    long = plan_failure(Fault(4, "decode-0", "glitch", lasts_s=0.5), [decode], Recovery())
    assert (long.executors, long.resumed_s, long.lost_groups) == (("decode-0",), 4.5, ())


def test_a_device_returns_not_before_it_is_missed(decode) -> None:
    """One that is repaired during recovery is taken back after it."""
    fault = Fault(0, "decode-0", "die", 5, lasts_s=0.1)
    plan = plan_failure(fault, [decode], RULES["shrink"])
    assert plan.returns_s == plan.resumed_s


def test_an_unknown_executor_is_refused(decode) -> None:
    """Faults are checked first."""
    with pytest.raises(ValueError, match="no executor 'decode-7'; check the faults first"):
        plan_failure(Fault(0, "decode-7", "die"), [decode], Recovery())


@given(
    st.sampled_from(MODES),
    st.booleans(),
    st.sampled_from(["die", "node", "slow", "glitch", "link"]),
    st.integers(0, 1),
    st.floats(0, 1e5),
    st.none() | st.floats(0.1, 1e5),
)
def test_time_goes_forward(mode, spares, kind, index, at_s, lasts_s) -> None:
    """Failure, detection, recovery, return; kept and lost dies differ, but for restarts."""
    executors = [
        ExecutorDies("prefill-0", "prefill", 16, 8, 4),
        ExecutorDies("prefill-1", "prefill", 16, 8, 4),
        ExecutorDies("decode-0", "decode", 16, 8, 16),
    ]
    fault = Fault(at_s, "decode-0", kind, index, lasts_s)
    plan = plan_failure(fault, executors, Recovery(mode=mode, spares=spares))
    assert plan.failed_s == at_s
    if plan.detected_s is None:
        assert kind in ("link", "slow")
        assert fault.ends_s <= Recovery().detected_s(at_s)
        return
    assert plan.detected_s >= at_s
    if plan.executors and plan.resumed_s is not None:
        assert plan.resumed_s >= plan.detected_s
    if plan.returns_s is not None and plan.resumed_s is not None:
        assert plan.returns_s >= plan.resumed_s
    assert plan.restart or not set(plan.lost_dies) & set(plan.kept_ranks)
    assert set(plan.executors) <= {executor.name for executor in executors}
