"""Faults in event time lose no request, may overlap, and are over when they are repaired."""

import dataclasses
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.serving.faults.checks import check
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import port_share
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS, FaultEffect, FaultKind
from evaluation.serving.faults.random_faults import random_faults
from evaluation.serving.faults.rank_speed import rank_speed
from evaluation.serving.faults.recovery import MODES, Recovery
from evaluation.serving.recovery.executor_health import ExecutorHealth
from evaluation.serving.recovery.fault_injector import FaultInjector
from evaluation.serving.scenario.fault_table import as_table, parse_faults
from hardware import Fabric
from tests.evaluation.serving.small import Linear, Part, Small, poisson
from traces import RequestTrace

PREFILL = Part("prefill", Linear(1.0, 0.1), count=2, groups=2, step_tokens=4)
DECODE = Part("decode", Linear(1.0), count=1, groups=4, batch_limit=4)
QUICK = {
    "heartbeat_s": 1.0,
    "full_restart_s": 6.0,
    "colocated_s": 2.0,
    "colocated_load_s": 4.0,
}


def ring(length=4):
    """Return dies in a circle, each linked to its two neighbours."""
    graph = nx.cycle_graph(length).to_directed()
    nx.set_edge_attributes(graph, 1e9, "bandwidth")
    nx.set_edge_attributes(graph, 1e-6, "latency")
    return Fabric.from_graph(graph, range(length))


RING = ring()


def faulty(faults, mode="failover", spares=True, trace=None, parts=(PREFILL, DECODE), **params):
    """Return a small system of four dies an executor, and the injector of its faults."""
    small = Small(poisson(1.0, 12, 3) if trace is None else trace, *parts, **params)
    recovery = Recovery(mode=mode, spares=spares, **QUICK)
    health = [
        ExecutorHealth(
            one,
            ExecutorDies(
                one.shape.name, one.shape.role, 4, 2, one.shape.groups, fabric=RING,
                planes={"ub": RING},
            ),
            mode == "missing-experts",
            "ub",
            lambda placement, groups: pytest.fail("a price without a placement was shrunk"),
        )
        for one in small.executors
    ]  # fmt: skip
    return small, FaultInjector(small.env, small.system, health, faults, recovery)


def longer(seed=3, count=12):
    """Return requests that take several steps."""
    random = np.random.default_rng(seed)
    prompt, output = random.integers(1, 9, (2, count))
    return poisson(1.0, count, seed, prompt, output)


@st.composite
def some_fault(draw, lasts=(0.5, 3.0, 20.0)):
    """Draw a fault of any kind."""
    executor = draw(st.sampled_from(["prefill-0", "prefill-1", "decode-0"]))
    kind = draw(st.sampled_from(["die", "node", "link", "switch", "slow", "glitch"]))
    at_s = draw(st.floats(0, 40).map(lambda value: round(value, 2)))
    lasts_s = draw(st.sampled_from(lasts))
    if kind == "switch":  # a ring has none
        kind = "link"
    index = 0 if kind == "glitch" else draw(st.integers(0, 1 if kind == "node" else 3))
    speed = {"speed": 0.5} if kind == "slow" else {}
    return Fault(at_s, executor, kind, index, lasts_s, **speed)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(some_fault(), max_size=7),
    st.sampled_from(MODES),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.7]),
)
def test_requests_are_never_lost_nor_counted_twice(faults, mode, spares, seed, telemetry_s):
    """Under any mix of faults at any time all finish, once and with all their tokens."""
    trace = longer(seed)
    small, injector = faulty(
        faults, mode, spares, trace, telemetry_s=telemetry_s, cache_s=0.2, seed=seed
    )
    small.run()  # checks conservation
    assert (small.log.generated == trace.output_tokens).all()
    small.env.run(small.env.now + 200)  # whatever was under way is over
    for one, health in zip(small.executors, injector.health.values(), strict=True):
        assert one.up.all()
        assert not one.halted
        assert not health.dies.lost_dies
        assert not health.broken
        assert not health.slow
        assert not one.memory.used.any()
        assert (one.kv_share == 1).all()
    assert small.system.in_transfer == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(some_fault((0.5, 20.0, None)), max_size=7), st.sampled_from(MODES), st.integers(0, 3)
)
def test_with_spares_all_finish_though_nothing_is_repaired(faults, mode, seed):
    """What is never repaired is gone without, or a restart finds a spare in its place."""
    trace = longer(seed)
    small, _ = faulty(faults, mode, True, trace, cache_s=0.2, seed=seed)
    small.run()
    assert (small.log.generated == trace.output_tokens).all()
    for one in small.executors:
        assert not one.dead


@settings(max_examples=15, deadline=None)
@given(st.lists(some_fault(), min_size=1, max_size=5), st.sampled_from(MODES))
def test_the_same_faults_give_the_same_result(faults, mode):
    """No random number is drawn while time passes."""
    times = []
    for _ in range(2):
        small, injector = faulty(faults, mode, trace=longer())
        small.run()
        times.append((small.log.finish_s.tolist(), injector.summary()))
    assert times[0] == times[1]


@pytest.mark.parametrize("last_s", [4.0, 8.0])
def test_requests_that_a_router_holds_are_assigned_when_groups_come_back(last_s):
    """Nothing runs then, so that no step ends and asks the router again.

    Dies 0, 2 and 3 fail at 0 s, so that the router holds requests; these dies are back at 7 s. Die
    1 fails at 4 s, when no DP group is left and the executor restarts, or at 8 s.
    """
    faults = [
        Fault(0.0, "decode-0", "die", 0, 0.5),
        Fault(0.0, "decode-0", "node", 1, 0.5),
        Fault(last_s, "decode-0", "die", 1, 0.5),
    ]
    small, _ = faulty(faults, "shrink", trace=longer())
    small.run()
    assert small.log.finished.all()


def pauses(small, executor):
    """Return the gaps between steps of an executor that are longer than a second."""
    spans = [
        (step.start_s, step.start_s + step.cost.total)
        for step in small.steps.steps
        if step.executor == executor
    ]
    return [(end, start) for (_, end), (start, _) in pairwise(spans) if start - end > 1]


def busy_decode():
    """Return requests that keep the decode executor stepping for 40 s."""
    ones, forty = np.ones(4, dtype=np.int64), np.full(4, 40)
    return RequestTrace(np.zeros(4), ones, forty)


def test_steps_wait_for_new_routes_and_lose_one_step():
    """A link breaks at 10.5 s and is noticed at 13; the step under way is computed again."""
    small, injector = faulty([Fault(10.5, "decode-0", "link", 0, 15)], trace=busy_decode())
    small.run()
    ((end, start),) = pauses(small, 2)
    assert end <= 10.5
    assert 13 <= start < 14
    assert small.log.recomputed_tokens.sum() == 0
    assert injector.summary()["stood_still_s"]["decode-0"] == pytest.approx(2.5)


def test_a_link_that_is_back_sooner_is_not_waited_for():
    """Traffic flows again at 11 s, before the failure is detected."""
    small, injector = faulty([Fault(10.5, "decode-0", "link", 0, 0.5)], trace=busy_decode())
    small.run()
    assert injector.summary()["stood_still_s"]["decode-0"] == pytest.approx(0.5)
    assert not injector.health["decode-0"].known_broken


def test_two_links_that_cut_a_die_off_are_a_die_fault():
    """Each alone is not."""
    faults = [Fault(5, "decode-0", "link", name="0:1"), Fault(20, "decode-0", "link", name="3:0")]
    small, injector = faulty(faults, trace=busy_decode())
    small.run()
    first, second = (plan for _, plan in injector.history)
    assert not first.lost_dies
    assert second.lost_dies == (0,)
    assert second.restart
    assert small.log.recomputed_tokens.sum() > 0
    assert not injector.health["decode-0"].broken  # spares are on links that work


def test_a_glitch_does_not_end_the_outage_of_a_die():
    """An executor that two faults halt waits for the later one."""
    faults = [Fault(5, "decode-0", "die", 0), Fault(6, "decode-0", "glitch", 0, 0.5)]
    small, _ = faulty(faults, trace=busy_decode())
    small.run()
    resumed_s = 5 + 3 + QUICK["full_restart_s"]
    spans = [step.start_s for step in small.steps.steps if step.executor == 2]
    assert not [start for start in spans if 5 < start < resumed_s]


def test_a_die_stays_away_until_all_that_hit_it_is_repaired():
    """The die is repaired at 12 s, but its node fails at 8 s and is back at 60 only."""
    faults = [Fault(2, "decode-0", "die", 0, 10), Fault(8, "decode-0", "node", 0, 52)]
    small, injector = faulty(faults, "missing-experts", trace=busy_decode())
    health = injector.health["decode-0"]
    small.env.run(30)
    assert health.dies.lost_dies == {0, 1}
    assert small.executors[2].up.tolist() == [False, False, True, True]
    small.env.run(61)
    assert small.executors[2].up.all()


@pytest.mark.parametrize("mode", ["shrink", "missing-experts"])
def test_groups_on_lost_dies_fail_over(mode):
    """Their requests go on in the groups that are left, computed again; the others keep theirs."""
    fault = Fault(20, "decode-0", "die", 0, 30)
    small, _ = faulty([fault], mode, trace=busy_decode())
    small.run()
    again = np.flatnonzero(small.log.recomputed_tokens)
    assert len(again) == 1
    assert small.log.decode_group[again[0]] != 0


def transfers(small):
    """Return start and seconds of each transfer of keys and values."""
    return [(one.start_s, one.end_s - one.start_s) for one in small.steps.transfers]


def test_transfers_wait_for_detection_then_go_at_what_is_left():
    """Of the first DP group, whose die has lost one of two links; other groups keep their rate."""
    trace = RequestTrace([0.0, 0.0, 10.0], [1, 1, 1], [2, 2, 2])
    part = Part("decode", Linear(1.0), groups=1)
    faults = [Fault(0.5, "decode-0", "link", name="0:1")]
    small, _ = faulty(faults, trace=trace, parts=(PREFILL, part), cache_s=0.1)
    small.run()
    calm, _ = faulty([], trace=trace, parts=(PREFILL, part), cache_s=0.1)
    calm.run()
    share = port_share(RING, faults).mean()
    assert share < 1
    usual = transfers(calm)[0][1]
    assert min(start for start, _ in transfers(small)) >= 3
    assert transfers(small)[-1][1] == pytest.approx(usual / share)
    assert transfers(calm)[0][0] < 3


def test_a_plane_of_keys_and_values_alone_stops_no_step():
    """Steps go on while its transfers wait."""
    small, injector = faulty([], trace=busy_decode())
    one = injector.health["decode-0"]
    one.dies = dataclasses.replace(one.dies, planes={"ub": ring()})
    fault = Fault(10.5, "decode-0", "link", 0, 15, plane="ub")
    FaultInjector(small.env, small.system, [one], [fault], Recovery(**QUICK))
    small.run()
    assert pauses(small, 2) == []


def test_what_is_down_for_good_is_dead():
    """Without spares, repair or dies of others; with restart-the-world, all are."""
    for mode, dead in (("failover", [False, False, True]), ("restart-the-world", [True] * 3)):
        fault = Fault(5, "decode-0", "die", 0)
        parts = (PREFILL, DECODE)
        if mode == "failover":  # no other that prefills would stay
            parts = (dataclasses.replace(PREFILL, count=1), DECODE)
            dead = [False, True]
        small, _ = faulty([fault], mode, False, busy_decode(), parts)
        small.env.run(60)
        assert [one.dead for one in small.executors] == dead


def test_an_executor_that_gave_its_dies_comes_back():
    """Kill P to preserve D: prefill-1 is away until the repair and its own restart."""
    fault = Fault(5, "decode-0", "die", 0, 40)
    small, injector = faulty([fault], "failover", False, busy_decode())
    small.env.run(40)
    assert injector.history[0][1].killed == "prefill-1"
    assert [one.halted for one in small.executors] == [False, True, False]
    small.env.run(60)
    assert not small.executors[1].halted
    assert small.executors[1].up.all()


class Throttled(FaultKind):
    """A trial kind that no module knows: all dies of a node compute at a lower speed."""

    name = "throttled"
    effect = FaultEffect.SLOWS_DIES
    keys = frozenset({"speed"})
    devices_name = "nodes"
    random_stream = 5

    def devices(self, executor):
        """Return the nodes of the executor."""
        return executor.nodes

    def dies(self, fault, executor):
        """Return the dies of the node."""
        return executor.dies_of_node(fault.index)


def test_a_new_kind_needs_its_class_and_its_entry_alone(monkeypatch):
    """It is read from a table, checked, drawn, injected, reported and written back."""
    monkeypatch.setitem(KINDS, "throttled", Throttled())
    table = {"at_s": 4.0, "executor": "decode-0", "kind": "throttled", "index": 1, "lasts_s": 9.0}
    (fault,) = parse_faults([{**table, "speed": 0.5}])
    small, injector = faulty([fault], trace=busy_decode())
    small.env.run(8)  # detected at 4 + 3 s
    health = injector.health["decode-0"]
    # nodes have two dies, so that node 1 is dies 2 and 3
    assert rank_speed(health.known_slow, health.dies).tolist() == [1, 1, 0.5, 0.5]
    small.run()
    assert health.slow == []
    ((struck, plan),) = injector.history
    assert (struck, plan.detected_s, plan.returns_s) == (fault, 7.0, 13.0)
    assert injector.summary()["outages"][0]["kind"] == "throttled"
    assert as_table(fault) == {**table, "speed": 0.5}
    assert random_faults([health.dies], {"throttled": 5.0}, 100.0, 0)
    with pytest.raises(ValueError, match="index = 2 breaks 0 <= index < 2 nodes of decode-0"):
        check([dataclasses.replace(fault, index=2)], [health.dies])
    with pytest.raises(ValueError, match="detected is a key of slow alone"):
        check([dataclasses.replace(fault, detected=False)], [health.dies])


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 45), st.sampled_from([0.5, 3.0, 20.0, None]), st.integers(0, 3))
def test_a_link_fault_makes_nothing_faster(at_s, lasts_s, link):
    """No request that is there from the start ends sooner, whenever and wherever it strikes."""
    fault = Fault(at_s, "decode-0", "link", link, lasts_s)
    small, _ = faulty([fault], trace=busy_decode(), cache_s=0.2)
    calm, _ = faulty([], trace=busy_decode(), cache_s=0.2)
    assert (small.run().log.finish_s >= calm.run().log.finish_s - 1e-9).all()
