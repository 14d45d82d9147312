"""What a deployment can reach at most follows from steady steps."""

import dataclasses

import numpy as np
import pytest

from evaluation.serving.plan.screening import Screening, own_prompt_tokens, tokens_a_step
from evaluation.serving.plan.span import plan_span
from evaluation.serving.scenario.deployment import ServingDeployment
from evaluation.serving.scenario.scenario import read
from tests.evaluation.serving.planning import busy
from traces import RequestTrace

#: Four prefill executors, and 32 dies of decode with a spare slot each.
HERE = ServingDeployment(4, 32, 0, 0, 60, 1)


@pytest.fixture(scope="module")
def screening():
    """Of 15 s of the hurried scenario."""
    return Screening(plan_span(busy(), span_s=15.0, warm_up_s=5.0))


def test_mean_tokens_of_a_step():
    """Drafts are accepted as long as all before them were."""
    table = dataclasses.replace(read("azure-busy").executor[1], drafts=2, acceptance=0.5)
    assert tokens_a_step(table) == 1.75
    assert tokens_a_step(dataclasses.replace(table, drafts=0)) == 1


def test_a_deployment_that_is_large_enough_is_bound_by_demand(screening):
    """All requests can keep the SLO; goodput is what is asked for, over the chips."""
    bound, span = screening(HERE), screening.span
    asked = span.trace.output_tokens[span.measured].sum()
    assert bound.share == 1.0
    assert bound.why == ""
    assert bound.goodput == pytest.approx(asked / span.span_s / 80)  # HERE has 80 chips


def test_more_executors_carry_more(screening):
    """Twice the prefill executors read twice the tokens; decode is the same."""
    more = screening(dataclasses.replace(HERE, prefill=8))
    bound = screening(HERE)
    assert more.prefill_tokens_per_s == pytest.approx(2 * bound.prefill_tokens_per_s)
    assert more.decode_tokens_per_s == bound.decode_tokens_per_s


def test_a_larger_batch_carries_more_until_the_pace_breaks(screening):
    """Tokens a second rise with the batch limit, and no further than the SLO's pace allows."""
    limits = (1, 2, 4, 1000, 2000)
    rates = [
        screening(dataclasses.replace(HERE, batch_limit=limit)).decode_tokens_per_s
        for limit in limits
    ]
    assert rates[0] < rates[1] < rates[2] < rates[3] == rates[4]


def test_small_batches_cannot_hold(screening):
    """A sequence a die at a time decodes too little; the reason says how much."""
    bound = screening(dataclasses.replace(HERE, batch_limit=1))
    assert bound.share < 0.5
    assert bound.why.startswith("decode carries")


def test_a_pace_that_no_step_keeps():
    """At 1 ms a token only answers of one token can keep the SLO."""
    span = plan_span(busy(tpot_s=1e-3), span_s=15.0, warm_up_s=5.0)
    bound = Screening(span)(HERE)
    assert bound.decode_tokens_per_s == 0.0
    assert bound.share == pytest.approx((span.trace.output_tokens[span.measured] < 2).mean())


def test_attention_apart_is_bound_too(screening):
    """More attention dies carry more sequences; experts have memory of their own."""
    small = screening(ServingDeployment(4, 48, 1, 16, 60, 0))
    large = screening(ServingDeployment(4, 96, 1, 64, 60, 0))
    assert 0 < small.decode_tokens_per_s < large.decode_tokens_per_s


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        (ServingDeployment(1, 4, 0, 0, 60, 0), "GB"),
        (ServingDeployment(1, 8, 1, 4, 60, 0), "more expert dies"),
        (ServingDeployment(1, 48, 3, 16, 60, 0), "do not divide"),
    ],
)
def test_what_cannot_be(screening, deployment, words):
    """Experts without memory, and dies that do not divide, are refused."""
    with pytest.raises(ValueError, match=words):
        screening(deployment)


def test_margin():
    """It raises what is carried; a negative one is refused."""
    span = plan_span(busy(), span_s=15.0, warm_up_s=5.0)
    plain, more = Screening(span, margin=0.0)(HERE), Screening(span, margin=0.5)(HERE)
    assert more.prefill_tokens_per_s == pytest.approx(1.5 * plain.prefill_tokens_per_s)
    with pytest.raises(ValueError, match="margin"):
        Screening(span, margin=-0.1)


def test_shared_blocks_spare_work():
    """Two prompts share their first block of four tokens; a whole prompt leaves a token to do."""
    trace = RequestTrace(
        [0.0, 1.0, 2.0],
        [10, 9, 4],
        [1, 1, 1],
        prefix_hashes=[7, 8, 9, 7, 5, 6, 7],
        prefix_blocks=[3, 3, 1],
        block_tokens=4,
    )
    assert own_prompt_tokens(trace).tolist() == [6, 5, 1]
    plain = RequestTrace([0.0], [10], [1])
    assert np.array_equal(own_prompt_tokens(plain), [10.0])
