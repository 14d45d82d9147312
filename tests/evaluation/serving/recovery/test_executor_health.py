"""Faults change the price of an executor; once they are over, it is what it was."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lb
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import cut_dies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.disaggregated import DisaggregatedPrice
from evaluation.serving.pricing.work import Work
from evaluation.serving.recovery.executor_health import ExecutorHealth
from evaluation.serving.recovery.rebalancing import Rebalancing
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from evaluation.step.disaggregated import Disaggregated
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Library, Model, Operators
from tests.evaluation.serving.loads import even
from tests.evaluation.serving.small import Part, Small, poisson

MODEL = Model.preset("deepseek-v3")
FABRIC = Fabric.preset("cloudmatrix384", 32)
PLACEMENT = lb.Placement(np.tile(np.arange(288) % 256, (3, 1)), 32)
LOAD = even(3, 256, 8)


def price_of(placement=PLACEMENT, groups=32, library="xccl", fabric=FABRIC):
    """Return the price of colocated dies."""
    library = None if library is None else Library.preset(library)
    operators = Operators(Device.preset("ascend-910c-die"), MODEL)
    executor = StepExecutor(operators, Collectives(fabric, MODEL, library), 3072.0, "decode", 1)
    return ColocatedPrice(executor, placement, LOAD, groups)


def health_of(price, missing, attention=None):
    """Return the health of an executor of 32 dies with this price."""
    small = Small(
        poisson(1.0, 2, 0), Part("prefill"), Part("decode", price, groups=attention or 32)
    )
    dies = ExecutorDies(
        "decode-0", "decode", 32, 16, attention or 32, attention, price.placement, fabric=FABRIC,
        planes={"ub": FABRIC},
    )  # fmt: skip
    groups = []

    def reprice(placement, left):
        groups.append(left)
        return price_of(placement, left, fabric=Fabric.preset("cloudmatrix384", left))

    result = ExecutorHealth(small.executors[1], dies, missing, "ub", reprice)
    return result, groups


def work_of(up, sequences=60):
    """Return the work of groups with as many sequences each, those away having none."""
    one = np.where(up, float(sequences), 0.0)
    tokens = np.array([2 * one.sum()], dtype=np.int64)
    return Work(0 * one, 0 * one, one, 3072 * one, tokens)


def lose(health, *dies):
    """Lose dies, and let their loss be detected."""
    health.lose_dies(dies)
    health.known_lost |= set(dies)
    health.update_executor()


@pytest.mark.parametrize("missing", [False, True])
def test_service_after_repair_is_service_before(missing):
    """A price that lost dies, links and speed for a time costs what its twin costs that did not."""
    price, twin = price_of(), price_of()
    health, _ = health_of(price, missing)
    lose(health, 3, 4)
    link = Fault(0, "decode-0", "link", name="die0.0:l1.0.3")
    health.known_broken.append(link)
    health.slow.append(Fault(0, "decode-0", "slow", 7, speed=0.5))
    health.update_executor()
    assert health.executor.price is not price or price.degraded
    health.return_dies((3, 4))
    health.known_broken.clear()
    health.slow.clear()
    health.update_executor()
    assert health.executor.price is price
    assert health.executor.up.all()
    assert (health.executor.kv_share == 1).all()
    work = work_of(np.ones(32))
    assert [price(work) for _ in range(5)] == [twin(work) for _ in range(5)]


def test_missing_experts_are_not_computed():
    """Die 4 holds 36 … 44, of which none has a copy; their tokens go nowhere, and are counted."""
    price = price_of()
    health, _ = health_of(price, missing=True)
    executor = health.executor
    lose(health, 4)
    assert executor.price is price
    assert np.flatnonzero(~executor.up).tolist() == [4]
    price(work_of(executor.up))
    assert (price.experts.rank_tokens[:, 4] == 0).all()
    seen = price.seen.copy()
    lost = seen[:, 36:45].sum()
    assert price.experts.rank_tokens.sum() == pytest.approx(seen.sum() - lost)
    assert health.choices == (seen.sum(), lost)
    health.return_dies((4,))
    health.update_executor()
    before = price.take_seen()
    price(work_of(executor.up))
    assert health.choices == (before.sum() + price.seen.sum(), lost)
    assert price.experts.rank_tokens.sum() == pytest.approx(price.seen.sum())


def test_experts_with_a_copy_are_not_missing():
    """Die 0 holds 0 … 8, which die 28 has too: those take all, and nothing is lost."""
    price = price_of()
    health, _ = health_of(price, missing=True)
    lose(health, 0)
    price(work_of(health.executor.up))
    assert health.choices == (price.seen.sum(), 0)
    assert price.experts.rank_tokens.sum() == pytest.approx(price.seen.sum())


def test_a_shrunk_executor_places_all_experts_on_fewer_dies():
    """Each at least once, and prices the DP groups that are left."""
    price = price_of()
    health, groups = health_of(price, missing=False)
    lose(health, 4)
    assert groups == [31]
    inner = health.executor.price.price
    assert inner.placement.num_ranks == 31
    assert health.executor.price(work_of(health.executor.up)).total > 0
    assert inner.experts.rank_tokens.sum() == inner.seen.sum()


def test_disaggregated_experts_go_missing():
    """An attention die that is lost changes no price; an expert die takes its experts along."""
    placement = lb.Placement(np.tile(np.arange(256), (3, 1)), 16)
    operators = Operators(Device.preset("ascend-910c-die"), MODEL)
    collectives = Collectives(FABRIC, MODEL, Library.preset("xccl"))
    machine = Disaggregated(operators, collectives, 2, 8, 16)
    price = DisaggregatedPrice(machine, placement, LOAD)
    health, _ = health_of(price, missing=True, attention=16)
    lose(health, 3)
    assert not price.degraded
    assert np.flatnonzero(~health.executor.up).tolist() == [3]
    lose(health, 16)
    assert price.degraded
    price(work_of(health.executor.up))
    assert (price.experts.rank_tokens[:, 0] == 0).all()
    assert health.choices[1] == price.seen[:, :16].sum()


def test_a_slow_attention_die_slows_a_disaggregated_step():
    """And so does a slow die of experts."""
    placement = lb.Placement(np.tile(np.arange(256), (3, 1)), 16)
    operators = Operators(Device.preset("ascend-910c-die"), MODEL)
    collectives = Collectives(FABRIC, MODEL, Library.preset("xccl"))
    machine = Disaggregated(operators, collectives, 2, 8, 16)
    costs = []
    for faults in ([], [3], [20]):
        price = DisaggregatedPrice(machine, placement, LOAD)
        health, _ = health_of(price, missing=True, attention=16)
        health.slow += [Fault(0, "decode-0", "slow", die, speed=0.4) for die in faults]
        health.update_executor()
        costs.append(price(work_of(health.executor.up)))
    calm, attention, experts = costs
    assert attention.attention_max > 1.5 * calm.attention_max
    assert attention.experts_max == calm.experts_max
    assert experts.experts_max > 1.5 * calm.experts_max
    assert experts.attention_max == calm.attention_max


def test_solvers_are_told_of_known_stragglers_alone():
    """A slow die costs time at once; ``known_speed`` follows."""
    price = price_of()
    health, _ = health_of(price, missing=True)
    slow = Fault(0, "decode-0", "slow", 7, speed=0.5)
    health.slow.append(slow)
    health.update_executor()
    assert price.rank_speed[7] == 0.5
    assert (price.known_speed == 1).all()
    health.known_slow.append(slow)
    health.update_executor()
    assert price.known_speed[7] == 0.5


def test_a_rebalance_takes_load_off_a_known_straggler_alone():
    """The slow die gets its even part until it is known to be slow, then less."""
    part = []
    for known in (False, True):
        price = price_of()
        health, _ = health_of(price, missing=True)
        slow = Fault(0, "decode-0", "slow", 7, speed=0.5)
        health.slow.append(slow)
        health.known_slow += [slow] * known
        health.update_executor()
        table = RebalanceTable(window_s=1.0, mode="stop-the-world", solver="greedy")
        rebalancing = Rebalancing(table, price.collectives.send_bytes_per_s())
        rebalancing(health.executor, 0.0)
        price(work_of(np.ones(32)))
        rebalancing(health.executor, 2.0)
        assert rebalancing.rebalances == 1
        price(work_of(np.ones(32)))
        tokens = price.experts.rank_tokens.sum(axis=0)
        part.append(tokens[7] / tokens.mean())
    assert part[0] == pytest.approx(1, abs=0.1)
    assert part[1] < 0.85


def test_no_rebalance_of_dies_that_are_lost():
    """A placement over all dies would put experts where nothing is."""
    price = price_of()
    health, _ = health_of(price, missing=True)
    lose(health, 4)
    rebalancing = Rebalancing(RebalanceTable(window_s=1.0), 1e9)
    price(work_of(health.executor.up))
    for now_s in (0.0, 2.0, 4.0):
        rebalancing(health.executor, now_s)
    assert rebalancing.rebalances == 0
    assert price.placement is PLACEMENT


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 519), max_size=3), st.lists(st.integers(0, 125), max_size=2))
def test_broken_parts_make_no_step_faster(links, nodes):
    """By the links alone, where they decide, or by the library's rates."""
    faults = [Fault(0, "decode-0", "link", one) for one in links]
    faults += [Fault(0, "decode-0", "switch", one) for one in nodes]
    assume(not cut_dies(FABRIC, faults))
    for library in (None, "xccl"):
        price, twin = price_of(library=library), price_of(library=library)
        health, _ = health_of(price, missing=True)
        health.known_broken += faults
        health.update_executor()
        work = work_of(np.ones(32))
        assert price(work).total >= twin(work).total * (1 - 1e-9)


def test_a_broken_plane_slows_steps_that_links_decide():
    """Six planes carry what seven carried."""
    price, twin = price_of(library=None), price_of(library=None)
    health, _ = health_of(price, missing=True)
    health.known_broken.append(Fault(0, "decode-0", "switch", name="l1.0.3"))
    health.update_executor()
    work = work_of(np.ones(32))
    ratio = price(work).communication / twin(work).communication
    assert ratio == pytest.approx(7 / 6, rel=0.02)
    assert (health.executor.kv_share[:16] < 1).all()


def test_dies_that_come_back_load_their_weights():
    """Experts of three layers and all other weights, at the rate of a rebalance."""
    price = price_of()
    health, _ = health_of(price, missing=True)
    assert health.reload_s(()) == 0
    lose(health, 4)
    rate = price.collectives.send_bytes_per_s()
    seconds = health.reload_s((4,))
    assert seconds > 9 * 3 * price.expert_bytes / rate
    assert health.dies.lost_dies == {4}
