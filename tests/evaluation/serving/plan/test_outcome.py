"""Of several deployments some are beaten and one is nearest."""

import dataclasses

import pytest

from evaluation.serving.plan.outcome import DeploymentOutcome, frontier, latency_excess, nearest
from evaluation.serving.scenario.deployment import ServingDeployment
from tests.evaluation.serving.planning import busy


def played(goodput, ttft, tpot, share=1.0, number=1):
    """Return a simulated candidate, its deployment identified by a number."""
    scores = {"goodput": goodput, "share": share, "ttft_p99_s": ttft, "tpot_p99_s": tpot}
    return DeploymentOutcome(ServingDeployment(number, 32, 0, 0, 60, 0), 32.0, "played", scores)


def test_frontier_is_of_goodput_and_both_latencies():
    """The second is worse in all three than the first; the third is quicker, the fourth too."""
    result = [
        played(9, 1.0, 0.03),
        played(8, 1.5, 0.03),
        played(7, 0.5, 0.03),
        played(6, 2.0, 0.02),
    ]
    assert frontier(result) == {0, 2, 3}


def test_equals_and_unknowns():
    """Of equals the first is kept; unknown latencies are long; goodput 0 is on no frontier."""
    result = [
        played(9, 1.0, 0.03),
        played(9, 1.0, 0.03),
        played(8, 1.0, None),
        played(0, 0.1, 0.01),
    ]
    assert frontier(result) == {0}
    assert frontier([played(8, None, None)]) == {0}


def test_it_holds_from_a_share_on():
    """Nine in ten are enough for 0.9; one that was not played, or is worth nothing, never holds."""
    assert played(5, 1.0, 0.03, share=0.9).holds(0.9)
    assert not played(5, 1.0, 0.03, share=0.89).holds(0.9)
    assert not played(0.0, 1.0, 0.03).holds(0.0)
    assert not DeploymentOutcome(ServingDeployment(1, 32, 0, 0, 60, 0), 32.0, "impossible").holds(
        0.0
    )


def test_excess_is_of_the_worse_latency():
    """3 s are 1.5 times the 2 s promised, 50 ms 1.25 times 40 ms; unknown TTFT is infinite."""
    scenario = busy()
    assert latency_excess(played(1, 3.0, 0.05).scores, scenario) == pytest.approx(1.5)
    assert latency_excess(played(1, 1.0, 0.05).scores, scenario) == pytest.approx(1.25)
    assert latency_excess(played(1, 1.0, None).scores, scenario) == pytest.approx(0.5)
    assert latency_excess(played(1, None, 0.05).scores, scenario) == float("inf")


def test_nearest():
    """Most requests that keep the SLO, then the least excess; None where nothing was played."""
    few, many = played(1, 1.0, 0.05, 0.2, 1), played(1, 9.0, 0.09, 0.3, 2)
    quicker = played(1, 8.0, 0.09, 0.3, 3)
    assert nearest([few, many, quicker], busy()) == quicker
    left_out = dataclasses.replace(few, scores={}, verdict="cannot hold")
    assert nearest([left_out], busy()) is None
