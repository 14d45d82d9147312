"""The plotted numbers of a replay agree with its scores."""

from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.replay import plot_data, scores
from evaluation.replay.replay import replay
from schedulers import make_rebalance


def test_breakdown_adds_up_to_step_and_migration(trace, executor, deployment):
    """The phases of the mean rank, its waits and migration add up to the whole time."""
    deployment = replace(deployment, migration_pause_s=0.5)
    log = replay(trace, executor, deployment, lb.make("greedy"))
    phases = plot_data.breakdown(log)
    row = scores.summary(log, executor, deployment)
    whole = row["step_s"] + row["migration_s"] / len(log.step_s)
    assert sum(phases.values()) == pytest.approx(whole)
    assert phases["waits"] == pytest.approx(row["wait_fraction"] * row["step_s"])


def test_windows_add_up_to_the_scores(trace, executor, deployment):
    """Efficiency and balance follow from the numbers of the windows."""
    log = replay(trace, executor, deployment, lb.make("greedy"))
    windows, row = scores.by_window(log), scores.summary(log, executor, deployment)
    assert {len(values) for values in windows.values()} == {3}
    taken = sum(windows["step_s"]) + sum(windows["migration_s"])
    assert sum(windows["ideal_s"]) / taken == pytest.approx(row["efficiency"])
    assert np.mean(windows["balancedness_next"]) == pytest.approx(row["balancedness_next"])
    assert np.mean(windows["balancedness_fitted"]) == pytest.approx(row["balancedness_fitted"])
    assert np.mean(windows["slots_changed"]) == pytest.approx(row["slots_changed"])


def test_windows_without_a_rebalance_move_nothing(trace, executor, deployment):
    """Migration is charged to the window after the rebalance."""
    policy = make_rebalance("interval", windows=2)
    log = replay(trace, executor, deployment, lb.make("greedy"), policy=policy)
    assert len(log.rebalanced) < len(log.following)
    windows = scores.by_window(log)
    moved = [window for window, seconds in enumerate(windows["migration_s"]) if seconds]
    assert moved == log.rebalanced
    assert sum(windows["migration_s"]) == pytest.approx(sum(log.migration_s))


def test_rank_load_is_relative_and_small(trace, executor, deployment):
    """Every row has mean 1; of many layers some are kept, the first and last among them."""
    log = replay(trace, executor, deployment, lb.make("greedy"))
    load = plot_data.rank_load(log)
    np.testing.assert_allclose(np.mean(load["relative"], axis=1), 1.0, atol=1e-3)
    log.rank_load = np.ones((58, 144))
    load = plot_data.rank_load(log)
    assert load["layers"][0] == 0
    assert load["layers"][-1] == 57
    assert np.size(load["relative"]) <= plot_data.MAX_NUMBERS


def test_links_are_busy_for_a_part_of_the_step(trace, executor, deployment):
    """The busiest link comes first, and none is busy longer than the step."""
    links = plot_data.links(replay(trace, executor, deployment, lb.make("greedy")), executor)
    busy = [link["utilisation"] for link in links]
    assert 0 < len(busy) <= plot_data.MAX_LINKS
    assert busy == sorted(busy, reverse=True)
    assert 0 < busy[0] <= 1
