"""Faults in event time lose no request, may overlap, and are over when they are repaired."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.serving.condition import Condition
from evaluation.serving.executor_dies import ExecutorDies
from evaluation.serving.faults import Fault
from evaluation.serving.outages import Outages
from evaluation.serving.recovery import MODES, Recovery
from hardware import Fabric
from tests.evaluation.serving.small import Linear, Part, Small, poisson

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
    """Return a small system of four dies an executor, and what plays faults on it."""
    small = Small(poisson(1.0, 12, 3) if trace is None else trace, *parts, **params)
    recovery = Recovery(mode=mode, spares=spares, **QUICK)
    conditions = [
        Condition(
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
    return small, Outages(small.env, small.system, conditions, faults, recovery)


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
    small, outages = faulty(
        faults, mode, spares, trace, telemetry_s=telemetry_s, cache_s=0.2, seed=seed
    )
    small.run()  # checks conservation
    assert (small.log.generated == trace.output_tokens).all()
    small.env.run(small.env.now + 200)  # whatever was under way is over
    for one, condition in zip(small.executors, outages.conditions.values(), strict=True):
        assert one.up.all()
        assert not one.halted
        assert not condition.dies.lost_dies
        assert not condition.broken
        assert not condition.slow
        assert not one.kv_used.any()
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
    """Nothing is drawn while faults play."""
    times = []
    for _ in range(2):
        small, outages = faulty(faults, mode, trace=longer())
        small.run()
        times.append((small.log.finish_s.tolist(), outages.figures()))
    assert times[0] == times[1]
