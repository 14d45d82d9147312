"""When replicas pay: identities of the map, and the machine that it prices."""

import dataclasses
import math

import numpy as np
import pytest

import lb
from evaluation.analysis.break_even import break_even_skew, price
from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Library, Model, Operators

SMALL = BreakEvenSetting(layers=4, steps=3)
GRID = BreakEvenGrid((0.0, 1.0), (32,), (16,), (1,), (1.0,))


def _executor(ranks):
    model = Model.preset("deepseek-v3")
    fabric = Fabric.preset("cloudmatrix384", ranks)
    operators = Operators(Device.preset("ascend-910c-die"), model)
    return StepExecutor(operators, Collectives(fabric, model, Library.preset("cann-ep")))


@pytest.mark.parametrize("tokens", [1, 16, 300])
def test_replicas_never_gain_on_even_load(tokens):
    """As many tokens for every expert: without replicas that is the ideal, with them it is not."""
    executor = _executor(16)
    counts = np.full((1, 256), float(tokens))
    bare, more = (lb.solve(lb.Problem(counts, 16, slots), "greedy") for slots in (16, 17))
    without = executor.step(bare, counts)
    assert without.total == pytest.approx(executor.ideal(counts, 16).total)
    assert executor.step(more, counts).total >= without.total * (1 - 1e-12)


@pytest.mark.parametrize("batch", [32, 128])
def test_uniform_popularity_costs_and_a_power_law_pays(batch):
    """The published contradiction: the same machine, one law or the other."""
    uniform, power = price(
        dataclasses.replace(GRID, batch=(batch,), ranks=(32,), skew=(0, 1.5)), SMALL
    )
    assert uniform.verdict == "costs"
    assert power.verdict == "pays"


def test_a_cell_is_what_the_executor_says():
    """One cell again, by hand: the same draw, the placement for the window, mean of the layers."""
    from evaluation.analysis.popularity import Popularity, token_counts

    (cell,) = price(dataclasses.replace(GRID, skew=(0.8,)), SMALL)
    law = Popularity("zipf", 0.8, 8)
    share = law.share(law.logarithm(4, 256, np.random.default_rng([0, 0])))
    generator = np.random.default_rng([0, 1, 512])
    window = token_counts(share, 8, 512 * 64, 1, generator)[0]
    counts = token_counts(share, 8, 512, 3, generator)
    executor = _executor(16)
    node = executor.collectives.fabric.ranks_per_node
    for seconds, slots, solver in (
        (cell.contiguous_s, 16, "contiguous"),
        (cell.rearranged_s, 16, "greedy"),
        (cell.replicas_s, 17, "greedy"),
    ):
        problem = lb.Problem(window, 16, slots, ranks_per_node=node, expert_groups=8)
        placement = lb.solve(problem, solver)
        steps = [executor.step(placement, step, None, 512).layers.mean() for step in counts]
        assert seconds == pytest.approx(np.mean(steps), rel=1e-12)


def test_equal_seeds_give_equal_maps():
    """And another seed another one."""
    assert price(GRID, SMALL) == price(GRID, SMALL)
    assert price(GRID, SMALL) != price(GRID, dataclasses.replace(SMALL, seed=1))


def test_cells_come_in_order_and_are_told():
    """All combinations, one call for each."""
    grid = dataclasses.replace(GRID, redundant=(1, 2), bandwidth=(0.5, 1.0))
    reported: list[BreakEvenCell] = []
    cells = price(grid, SMALL, reported.append)
    assert reported == cells
    assert len(cells) == len(grid) == 8
    assert len({(one.skew, one.redundant, one.bandwidth) for one in cells}) == 8


def test_slower_links_are_slower_and_see_the_same_tokens():
    """More so where a rank is hot, so that replicas pay more."""
    slow, fast = price(dataclasses.replace(GRID, skew=(1.0,), bandwidth=(0.25, 1.0)), SMALL)
    assert slow.rearranged_s > fast.rearranged_s
    assert slow.change() < fast.change()


def test_drift_makes_the_fit_worse():
    """Popularity that is all new is met no better than by chance."""
    grid = dataclasses.replace(GRID, skew=(1.0,), batch=(128,))
    setting = dataclasses.replace(SMALL, law="lognormal")
    (still,) = price(grid, setting)
    (moved,) = price(grid, dataclasses.replace(setting, drift=1.0))
    assert still.rearranged_s < 0.95 * still.contiguous_s
    assert moved.rearranged_s > 0.95 * moved.contiguous_s


def test_memory_bounds_the_batch():
    """Where cache and slots do not fit, replicas cost sequences; where they do, nothing changes."""
    grid = dataclasses.replace(GRID, skew=(1.0,), batch=(4, 128), ranks=(32,))
    setting = dataclasses.replace(SMALL, kv_tokens=8192.0)
    small, large = price(grid, dataclasses.replace(setting, memory_bound=True))
    assert (small.fits, large.fits) == (True, False)
    assert small == price(dataclasses.replace(grid, batch=(4,)), setting)[0]
    assert large.batch_with < large.batch_without < 128
    slot = 58 * 3 * 7168 * 2048
    lost = slot / (8192 * 61 * 576 * 2)
    assert abs(large.batch_without - large.batch_with - lost) < 1


def test_no_room_is_infinite():
    """Slots that leave no sequence."""
    grid = dataclasses.replace(GRID, skew=(1.0,), batch=(4,), ranks=(32,), redundant=(12,))
    (cell,) = price(grid, dataclasses.replace(SMALL, memory_bound=True))
    assert cell.batch_with == 0
    assert math.isnan(cell.replicas_s)
    assert cell.change() == math.inf


@pytest.mark.parametrize(
    ("changes", "skew"),
    [
        ((0.1, 0.05, -0.05), 0.75),
        ((-0.1, 0.1, -0.1), 0.0),
        ((0.1, 0.1, 0.0), None),
        ((0.1, -0.3, -0.5), 0.125),
        ((math.inf, math.inf, -0.5), 1.0),
    ],
)
def test_break_even_lies_between_the_skews(changes, skew):
    """Straight between the two where the sign turns; the first if it pays there; or never."""
    base = BreakEvenCell(0.0, 8, 16, 1, 1.0, 1.0, 1.0, 1.0, 0.0, 8, 8, True)
    cells = [
        dataclasses.replace(base, skew=at, replicas_s=1 + change)
        if math.isfinite(change)
        else dataclasses.replace(base, skew=at, batch_with=0)
        for at, change in zip((0.0, 0.5, 1.0), changes, strict=True)
    ]
    assert break_even_skew(cells[::-1]) == (None if skew is None else pytest.approx(skew))


@pytest.mark.parametrize(
    ("grid", "setting", "message"),
    [
        ({"ranks": (48,)}, {}, "ranks = 48 does not divide the 256 experts"),
        ({"ranks": (1024,)}, {}, "ranks = 1024 does not divide"),
        ({"redundant": (256,)}, {}, "would hold one expert twice"),
        ({}, {"solver": "gredy"}, "did you mean"),
        ({}, {"dispatcher": "evn"}, "did you mean"),
        ({}, {"model": "deepseek-v"}, "did you mean"),
        ({}, {"law": "pareto"}, "law = 'pareto'"),
        ({}, {"drift": -0.1}, "drift = -0.1 breaks"),
        ({}, {"model": "gpt-oss-120b", "memory_bound": True, "kv_tokens": 1e9}, "leaves no memory"),
    ],
)
def test_wrong_grids_are_refused(grid, setting, message):
    """Before anything is priced."""
    with pytest.raises(ValueError, match=message):
        price(dataclasses.replace(GRID, **grid), dataclasses.replace(SMALL, **setting))
