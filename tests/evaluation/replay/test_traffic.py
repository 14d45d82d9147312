"""Which scenarios have the same traffic."""

from dataclasses import replace

import pytest

from evaluation.replay.scenario import Scenario
from evaluation.replay.traffic import traffic_key

WORKLOAD = Scenario(
    "one", (), "deepseek-v3", 32, 9, 0, workload=("r1-decode-ep32",), window_s=60.0, windows=2
)
TRACE = Scenario("t", ("ar1-drift",), "deepseek-v3", 32, 9, 1, steps=8)


@pytest.mark.parametrize("scenario", [WORKLOAD, TRACE], ids=["workload", "trace"])
def test_a_deployment_does_not_change_traffic(scenario):
    """Dispatcher, slots and history are of the replay."""
    other = replace(scenario, id="two", dispatcher="optimal", slots_per_rank=10, history_windows=4)
    assert traffic_key(other, 3) == traffic_key(scenario, 3)
    assert traffic_key(scenario, 4) != traffic_key(scenario, 3)


@pytest.mark.parametrize(
    "changes",
    [{"windows": 3}, {"window_s": 30.0}, {"sampled_steps": 2}, {"workload": ("r1-prefill-ep32",)}],
    ids=str,
)
def test_windows_are_of_the_traffic(changes):
    """What they hold depends on how a workload is cut."""
    assert traffic_key(replace(WORKLOAD, **changes), 0) != traffic_key(WORKLOAD, 0)
