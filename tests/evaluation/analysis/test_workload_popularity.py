"""Popularity that is measured on a workload."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.analysis.break_even import price
from evaluation.analysis.break_even_grid import BreakEvenGrid, BreakEvenSetting
from evaluation.analysis.workload_popularity import WorkloadPopularity, workload_popularity
from evaluation.replay.traffic import traffic_of, windows_of


def test_shares_are_those_of_two_windows(small_workload):
    """The observed tokens of one, and those of the next that judge."""
    cut = {"window_steps": 0, "window_s": 10.0, "sampled_steps": 1, "windows": 3}
    scenario = replace(small_workload, **cut)
    windows = list(windows_of(traffic_of(scenario, 3), scenario))
    (name,) = scenario.workload
    popularity = workload_popularity(name, "deepseek-v3", 10.0, 2, 3)
    for share, load in (
        (popularity.fitted, windows[1].observed),
        (popularity.judged, windows[2].load),
    ):
        np.testing.assert_allclose(share, load / load.sum(axis=1, keepdims=True))
    assert popularity.num_layers == 2


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.2])
def test_skew_is_the_exponent_of_zipf(exponent):
    """Whatever the order of the experts."""
    weight = np.arange(1, 257.0) ** -exponent
    share = np.random.default_rng(0).permuted(np.tile(weight / weight.sum(), (3, 1)), axis=1)
    assert WorkloadPopularity(share, share).skew == pytest.approx(exponent, abs=1e-9)


def test_experts_without_tokens_do_not_break_the_skew():
    """They count as the least popular expert that has some."""
    share = np.zeros((2, 16))
    share[:, :3] = 1 / 3
    assert np.isfinite(WorkloadPopularity(share, share).skew)


def test_the_map_of_a_law_is_found_again(small_workload, monkeypatch):
    """Where a workload has the shares of a law, its cells are those of the law."""
    from evaluation.analysis import break_even
    from evaluation.analysis.popularity import Popularity

    law = Popularity("zipf", 0.8, 8)
    share = law.share(law.logarithm(4, 256, np.random.default_rng([0, 0])))
    given = WorkloadPopularity(share, share)
    monkeypatch.setattr(break_even, "workload_popularity", lambda *_: given)
    grid = BreakEvenGrid((0.8,), (32,), (16,), (1,), (1.0,))
    sizes = {"layers": 4, "steps": 3}
    of_workload = price(grid, BreakEvenSetting(workload="x", **sizes))
    assert of_workload == price(grid, BreakEvenSetting(**sizes))
