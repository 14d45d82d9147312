"""A deployment is one point of a plan, and says what cannot be."""

import dataclasses

import pytest

from evaluation.serving.scenario.deployment import (
    ServingDeployment,
    deployment_of,
    executor_tables,
    placed_experts,
)
from evaluation.serving.scenario.scenario import read
from tests.evaluation.serving.planning import busy


def test_the_scenario_serves_on_it():
    """Attention apart: 64 dies of attention in two domains, and 256 experts on 32 dies."""
    served = ServingDeployment(2, 96, 2, 64, 30, 1).serve(busy())
    prefill, decode = served.executor
    assert (prefill.count, decode.dies, decode.batch_limit) == (2, 96, 30)
    assert (decode.attention_domains, decode.attention_dies, decode.expert_dies) == (2, 32, 32)
    assert decode.slots_per_rank == 256 // 32 + 1


@pytest.mark.parametrize("name", ["azure-busy", "azure-4p1d", "xdeepserve-disaggregated"])
def test_a_scenario_is_its_own_deployment(name):
    """Serving a scenario on its own deployment changes none of it."""
    scenario = read(name)
    assert deployment_of(scenario).serve(scenario) == scenario
    assert deployment_of(scenario).dies(scenario) == scenario.dies


def test_chips_count_all_dies():
    """Two dies are a chip: 2 × 32 of prefill and 96 of decode."""
    assert ServingDeployment(2, 96, 2, 64, 30, 1).chips(busy()) == 80


def test_shared_experts_need_slots_where_they_have_dies():
    """DeepSeek-V3 has one shared expert and 256 routed ones."""
    assert placed_experts(busy()) == 256
    assert placed_experts(busy(shared_local=False)) == 257


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        (ServingDeployment(1, 32, 3, 16, 60, 0), "3 domains do not divide 16"),
        (ServingDeployment(1, 32, 1, 32, 60, 0), "leave none for experts"),
        (ServingDeployment(1, 32, 0, 0, 60, 249), "redundant <= 248"),
    ],
)
def test_what_cannot_be_is_named(deployment, words):
    """Dies that do not divide, dies without experts, and one expert twice on a die."""
    with pytest.raises(ValueError, match=words):
        deployment.serve(busy())


def test_words():
    """It is described by its dies, executors of one kind together."""
    scenario = busy()
    assert "2 × 16 attention + 32 expert dies" in ServingDeployment(1, 64, 2, 32, 60, 0).describe(
        scenario
    )
    table = dataclasses.replace(scenario.executor[1], count=2)
    twice = dataclasses.replace(scenario, executor=(scenario.executor[0], table))
    assert "4 × 32 prefill + 2 × 32 decode dies" in deployment_of(twice).describe(twice)
    assert executor_tables(twice)[1].count == 2


def test_other_roles_are_refused():
    """A plan needs prefill and decode."""
    both = busy(executor=(dataclasses.replace(busy().executor[1], role="both"),))
    with pytest.raises(ValueError, match="of role prefill"):
        executor_tables(both)
