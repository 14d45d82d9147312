"""Routings that names and tables of a scenario stand for, and what does not fit a model."""

import dataclasses

import numpy as np
import pytest

import traces
from evaluation.serving.assembly.pricing import START_TOKENS, start_tokens
from evaluation.serving.assembly.routing import routing_model
from evaluation.serving.assembly.workload import request_state, requests
from evaluation.serving.scenario.scenario import read
from traces import RequestTrace, RoutingTrace
from traces.workload import ConditionRouting, LawRouting, RecordedRouting
from traces.workload.even_routing import EvenRouting

TASKS = ("dsv2lite-intent", "dsv2lite-translation")


@pytest.fixture(scope="module")
def v3():
    """A scenario of DeepSeek-V3 with even experts."""
    return dataclasses.replace(read("azure-busy"), requests=50)


@pytest.fixture(scope="module")
def lite():
    """A scenario of DeepSeek-V2-Lite with recorded domains."""
    return dataclasses.replace(read("domains-decode"), requests=50)


def table_of(scenario, text, folder):
    """Return the scenario with the [routing] table of a text, as a file has it."""
    path = folder / "scenario.toml"
    lines = [f'name = "x"\ntrace = "azure-2023-conv"\nmodel = "{scenario.model}"', text]
    path.write_text("\n".join([*lines, '[[executor]]\nrole = "both"\ndies = 32\n']))
    return read(path)


def test_names_stand_for_routings(v3, lite):
    """Even experts, a law, a law that drifts, loads, and recordings by domain."""
    even = routing_model(v3, 0)
    assert even == EvenRouting(58, 256, 8, "deepseek-v3")
    law = routing_model(dataclasses.replace(v3, routing=("deepseek-v3-decode",)), 0)
    assert isinstance(law, LawRouting)
    assert law.law_step_s is None
    assert law.domain_names == tuple(f"domain {n}" for n in range(4))
    drifting = dataclasses.replace(v3, routing=("deepseek-v3-decode",), routing_step_s=2.0)
    assert routing_model(drifting, 0).law_step_s == 2.0
    loads = routing_model(dataclasses.replace(v3, routing=("deepseek-r1",)), 0)
    assert (loads.num_layers, loads.model) == (58, "deepseek-r1")
    recorded = routing_model(dataclasses.replace(lite, routing=TASKS), 0)
    assert isinstance(recorded, RecordedRouting)
    assert recorded.domain_names == TASKS


def test_recorded_counts_are_conditions(lite, tmp_path):
    """Where sequences are not recorded, only the shares of experts are known."""
    path = str(tmp_path / "counts.parquet")
    traces.save(RoutingTrace(np.full((1, 2, 64), 9), "toy", 6), path)
    routing = routing_model(dataclasses.replace(lite, routing=(path,)), 0)
    assert isinstance(routing, ConditionRouting)
    assert routing.domain_names == (path,)


def test_a_table_is_that_of_a_workload(v3, tmp_path):
    """Loads with domains and a sample of layers; files beside the scenario are found."""
    text = '[routing]\nloads = "deepseek-r1"\ndomain_names = ["chat", "code"]\nlayers = 6'
    routing = routing_model(table_of(v3, text, tmp_path), 0)
    assert (routing.num_layers, routing.domain_names) == (6, ("chat", "code"))
    counts = RoutingTrace(np.full((1, 2, 256), 9), "toy", 8)
    traces.save(counts, tmp_path / "mine.parquet")
    mine = routing_model(
        table_of(v3, '[[routing.conditions]]\ntrace = "mine.parquet"', tmp_path), 0
    )
    assert mine.num_conditions == 1


def test_requests_get_the_domains_that_a_routing_tells_apart(v3, lite):
    """Even shares unless the scenario says others; none where all are alike."""
    assert requests(v3, routing_model(v3, 0), 0).domain is None
    routing = routing_model(lite, 0)
    mixed = requests(dataclasses.replace(lite, requests=3000), routing, 0)
    names = ["dsv2lite-intent", "dsv2lite-summary", "dsv2lite-translation"]
    assert list(mixed.domain_names) == names
    np.testing.assert_allclose(np.bincount(mixed.domain) / 3000, 1 / 3, atol=0.05)
    alone = requests(dataclasses.replace(lite, domains={names[1]: 1.0}), routing, 0)
    assert alone.domain_names == (names[1],)
    with pytest.raises(ValueError, match=r"domains = \['poems'\]; the routing has dsv2lite-intent"):
        requests(dataclasses.replace(lite, domains={"poems": 1.0}), routing, 0)


def test_requests_of_an_unknown_domain_are_refused(lite):
    """The message names the domain, and how to give others."""
    trace = RequestTrace([0.0], [5], [5]).in_domain("poems")
    with pytest.raises(ValueError, match=r"'poems'.* give domains"):
        request_state(lite, routing_model(lite, 0), trace, 0)


@pytest.mark.parametrize("role", ["prefill", "decode", "both"])
def test_placements_at_the_start_are_for_a_role(v3, role):
    """Tokens of its phases, with the lengths of the requests; DeepSeek-R1 tells them apart."""
    routing = routing_model(dataclasses.replace(v3, routing=("deepseek-r1",)), 0)
    trace = RequestTrace([0.0] * 40, [1000] * 40, [3000] * 40)
    tokens = start_tokens(role, routing, trace, 0)
    assert tokens.sum() == pytest.approx(START_TOKENS, abs=40)
    phases = [condition.phase for condition in routing.chances for _ in range(routing.kinds.count)]
    decoding = tokens[[phase == "decode" for phase in phases]].sum() / tokens.sum()
    assert decoding == pytest.approx({"prefill": 0, "decode": 1, "both": 0.75}[role], abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"routing": ("dsv2lite-intent",)}, "64 experts, top-6"),
        ({"routing": ("deepseek-r1",), "model": "deepseek-v2-lite"}, "256 experts, top-8"),
        ({"routing": {"loads": "deepseek-r2"}}, "nearest: deepseek-r1"),
        ({"routing": {"loads": "deepseek-r1", "drift": 1}}, "no key 'drift'"),
        ({"routing": TASKS, "routing_step_s": 1.0}, "needs a law that drifts"),
        ({"routing": TASKS[:1] * 2}, "another recording for each domain"),
    ],
)
def test_routings_that_do_not_fit_are_refused(v3, change, message):
    """Named with the scenario, before time starts."""
    with pytest.raises(ValueError, match=f"hurried: .*{message}"):
        routing_model(dataclasses.replace(v3, **change), 0)


def test_a_routing_of_more_layers_than_the_model_is_refused(v3, tmp_path):
    """A recording of another model with as many experts."""
    path = str(tmp_path / "deep.parquet")
    traces.save(RoutingTrace(np.full((1, 59, 256), 9), "toy", 8), path)
    with pytest.raises(ValueError, match="59 layers, the model deepseek-v3 only 58"):
        routing_model(dataclasses.replace(v3, routing=(path,)), 0)
