"""What a report draws adds up to what was scored."""

from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.replay import plot_data, scores
from evaluation.replay.replay import replay
from schedulers import make_rebalance


def test_breakdown_adds_up_to_step_and_migration(trace, executor, deployment):
    """Phases of the mean rank, waits and migration are the whole time."""
    deployment = replace(deployment, hold_steps=8)
    replayed = replay(trace, executor, deployment, lb.make("greedy"))
    found = plot_data.breakdown(replayed, deployment)
    row = scores.summary(replayed, executor, deployment)
    whole = row["step_s"] + row["migration_s"] / (8 * len(replayed.step_s))
    assert sum(found.values()) == pytest.approx(whole)
    assert found["waits"] == pytest.approx(row["wait_fraction"] * row["step_s"])


def test_windows_add_up_to_the_scores(trace, executor, deployment):
    """A number a scored window, from which efficiency and balance follow."""
    replayed = replay(trace, executor, deployment, lb.make("greedy"))
    found, row = scores.by_window(replayed), scores.summary(replayed, executor, deployment)
    assert {len(values) for values in found.values()} == {3}
    taken = sum(found["step_s"]) + sum(found["migration_s"])
    assert sum(found["ideal_s"]) / taken == pytest.approx(row["efficiency"])
    assert np.mean(found["balancedness_next"]) == pytest.approx(row["balancedness_next"])
    assert np.mean(found["balancedness_fitted"]) == pytest.approx(row["balancedness_fitted"])
    assert np.mean(found["slots_changed"]) == pytest.approx(row["slots_changed"])


def test_windows_without_a_rebalance_move_nothing(trace, executor, deployment):
    """Migration is charged to the window before which it came."""
    policy = make_rebalance("interval", windows=2)
    replayed = replay(trace, executor, deployment, lb.make("greedy"), policy=policy)
    assert len(replayed.rebalanced) < len(replayed.following)
    found = scores.by_window(replayed)
    moved = [window for window, seconds in enumerate(found["migration_s"]) if seconds]
    assert moved == replayed.rebalanced
    assert sum(found["migration_s"]) == pytest.approx(sum(replayed.migration_s))


def test_rank_load_is_relative_and_small(trace, executor, deployment):
    """Every row has mean 1; of many layers some are taken, the last among them."""
    replayed = replay(trace, executor, deployment, lb.make("greedy"))
    found = plot_data.rank_load(replayed)
    np.testing.assert_allclose(np.mean(found["relative"], axis=1), 1.0, atol=1e-3)
    replayed.rank_load = np.ones((58, 144))
    found = plot_data.rank_load(replayed)
    assert found["layers"][0] == 0
    assert found["layers"][-1] == 57
    assert np.size(found["relative"]) <= plot_data.MOST_NUMBERS


def test_links_are_busy_for_a_part_of_the_step(trace, executor, deployment):
    """The busiest first, none longer than the step."""
    found = plot_data.links(
        replay(trace, executor, deployment, lb.make("greedy")), executor, deployment
    )
    busy = [one["utilisation"] for one in found]
    assert 0 < len(busy) <= plot_data.MOST_LINKS
    assert busy == sorted(busy, reverse=True)
    assert 0 < busy[0] <= 1
