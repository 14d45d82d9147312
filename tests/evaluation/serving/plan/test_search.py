"""The deployment with the highest goodput per chip is found, whatever is left out."""

import dataclasses

import pytest

from evaluation.serving.plan.axes import axes
from evaluation.serving.plan.search import search_deployments
from evaluation.serving.plan.search_settings import SearchSettings
from evaluation.serving.plan.simulation import DeploymentSimulation, PrefillSimulation
from evaluation.serving.plan.span import plan_span
from evaluation.serving.simulate import simulate
from tests.evaluation.serving.planning import busy, small

AXES = {
    "prefill": (1,),
    "decode_dies": (4, 8),
    "attention_dies": (2,),
    "expert_dies": (2,),
    "domains": (1,),
    "batch_limit": (1, 8),
    "redundant": (0,),
    "dies": 16,
}
#: Decode is scarce, prompts are long, answers are long: minutes in which some deployments hold.
SCENARIOS = {
    "decode": small(4),
    "prompts": small(4, prompt=8192, output=8),
    "answers": small(2, output=100),
}


def found_for(scenario, settings, **span):
    """Return what a search finds on the small axes."""
    deployments = axes(scenario, AXES).deployments(scenario)
    return search_deployments(plan_span(scenario, **span), deployments, settings)


@pytest.mark.parametrize("name", SCENARIOS)
def test_screening_never_discards_the_winner(name):
    """On the default span, the best of all deployments is the best with screening."""
    every = found_for(SCENARIOS[name], SearchSettings(screening=False))
    result = found_for(SCENARIOS[name], SearchSettings())
    assert {one.verdict for one in every} == {"played"}
    assert every[0].holds(0.9)
    assert not every[-1].holds(0.9)  # else nothing could be left out
    assert result[0].deployment == every[0].deployment
    assert result[0].scores == every[0].scores
    assert {one.deployment for one in result} == {one.deployment for one in every}
    wrong = {one.deployment for one in result if one.verdict == "cannot hold"}
    assert wrong
    assert not any(one.holds(0.9) for one in every if one.deployment in wrong)
    bounds = {one.deployment: one.bound for one in result}
    for one in every:
        bound = bounds[one.deployment]
        assert one.share <= bound.share + 1e-9
        assert one.goodput <= bound.goodput * 1.1 + 1e-9


def test_every_deployment_left_out_has_a_reason():
    """None is dropped; the order does not depend on processes or on a second run."""
    settings = SearchSettings()
    result = found_for(SCENARIOS["decode"], settings, span_s=15.0, warm_up_s=5.0)
    assert all(bool(one.reason) != (one.verdict == "played") for one in result)
    again = found_for(
        SCENARIOS["decode"], dataclasses.replace(settings, jobs=2), span_s=15.0, warm_up_s=5.0
    )
    assert again == result


def test_an_slo_out_of_reach():
    """At 1 ms a token nothing holds; the largest are simulated so that the nearest is known."""
    scenario = dataclasses.replace(SCENARIOS["decode"], tpot_s=1e-3)
    result = found_for(scenario, SearchSettings(), span_s=5.0, warm_up_s=1.0)
    assert not any(one.holds(0.9) for one in result)
    assert result[0].scores["tpot_p99_s"] > 1e-3
    assert "0 tokens/s" in result[0].reason


def test_the_nearest_is_looked_for_among_those_left_out():
    """With one sequence a group none keeps all; as near is found as by simulating every one."""
    scenario = small(4, output=16)
    given = {"prefill": (1,), "decode_dies": (4, 8), "batch_limit": (1,), "redundant": (0,)}
    span = plan_span(scenario, span_s=20.0, warm_up_s=5.0)
    deployments = axes(scenario, {**given, "dies": 16}).deployments(scenario)
    shares = []
    for screening in (True, False):
        result = search_deployments(
            span, deployments, SearchSettings(share=1.0, screening=screening)
        )
        shares.append(result[0].share)
        assert not result[0].holds(1.0)
    assert 0 < shares[0] == shares[1]


def test_impossible_deployments_come_last():
    """Too little memory is a reason, with screening and without."""
    scenario = busy()
    span = plan_span(scenario, requests=5)
    given = {"prefill": (1,), "decode_dies": (4,), "batch_limit": (4,), "redundant": (0,)}
    deployments = axes(scenario, given).deployments(scenario)
    for screening in (True, False):
        (one,) = search_deployments(span, deployments, SearchSettings(screening=screening))
        assert one.verdict == "impossible"
        assert "GB" in one.reason


def test_a_deployment_is_simulated_to_the_last_deadline():
    """Its scores are those of simulate with the same end; a request too long is a reason."""
    span = plan_span(small(4), span_s=10.0, warm_up_s=2.0)
    answer = DeploymentSimulation(span.scenario, span.until_s)()
    summary = simulate(span.scenario, until_s=span.until_s).summary
    assert answer["tpot_p99_s"] == summary["tpot_s"]["p99"]
    assert answer["share"] == pytest.approx(summary["goodput"]["share"])
    long = dataclasses.replace(
        span.scenario, generate={**span.scenario.generate, "prompt_tokens": 10**8}
    )
    assert "request 0 has" in DeploymentSimulation(long, span.until_s)()


def test_prefill_alone_is_no_worse_than_with_decode():
    """Without back-pressure as many requests keep their TTFT or more, and their tokens count."""
    span = plan_span(small(4), span_s=10.0, warm_up_s=2.0)
    share, tokens = PrefillSimulation(span.scenario)()
    assert DeploymentSimulation(span.scenario, span.until_s)()["share"] <= share <= 1
    assert tokens == pytest.approx(share * span.measured.sum() * 32)
