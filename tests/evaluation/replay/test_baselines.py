"""Baselines that need no balancing, and the ceiling of hindsight."""

import numpy as np
import pytest

import lb
from evaluation.replay.baselines import Baselines, baselines
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.ideal_reference import IdealReference
from evaluation.replay.replay import replay
from evaluation.replay.replay_window import trace_replay_windows
from evaluation.replay.scores import summary
from traces import RoutingTrace


@pytest.fixture
def trace():
    """Windows of one step, each with other popular experts than the last one."""
    random = np.random.default_rng(0)
    counts = random.pareto(1.5, (5, 3, 64)) * 200 + 1
    return RoutingTrace(counts.astype(np.int32), "toy", 6)


@pytest.fixture
def scale(trace, executor, deployment):
    """Baselines of these windows."""
    windows = trace_replay_windows(trace, 1)
    return baselines(windows, executor, deployment, 1, IdealReference())


@pytest.fixture
def deployment():
    """Sixteen ranks of five slots, a rebalance after each step."""
    return ExpertDeployment(16, 5, 1, 1e12)


def test_doing_nothing_is_the_placement_at_the_start(trace, executor, deployment, scale):
    """Nobody scores lower by leaving experts where they are."""
    log = replay(trace, executor, deployment, lb.make("contiguous"))
    assert scale.do_nothing == summary(log, executor, deployment)["efficiency"]
    assert sum(log.moves) == 0


def test_hindsight_knows_the_window_to_come(trace, executor, deployment, scale):
    """On windows that have nothing in common it beats the same solver without hindsight."""
    log = replay(trace, executor, deployment, lb.make("local-search"))
    reached = summary(log, executor, deployment)["efficiency"]
    assert scale.do_nothing < scale.hindsight <= 1
    assert reached < scale.hindsight
    assert len(scale.hindsight_windows) == 4


def test_captured_is_the_part_between_doing_nothing_and_hindsight():
    """From 0.6 to 0.9, 0.75 is the half; with nothing to get there is no part of it."""
    scale = Baselines(0.6, 0.7, 0.9, (0.9,))
    assert scale.captured(0.75) == pytest.approx(0.5)
    assert scale.captured(0.6) == 0
    assert Baselines(0.6, 0.6, 0.6, ()).captured(0.6) is None
