"""Whole simulations: nothing is lost, one seed gives one result, bad input is named first."""

import dataclasses

import numpy as np
import pytest

from evaluation.serving.assembly.routing import routing_model
from evaluation.serving.assembly.workload import requests
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import FaultRates
from evaluation.serving.faults.recovery import MODES, Recovery
from evaluation.serving.results.view import rates
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from evaluation.serving.scenario.scenario import available, read
from evaluation.serving.simulate import simulate


@pytest.fixture(scope="module")
def small():
    """The bundled scenario with even experts and 120 requests."""
    return dataclasses.replace(read("azure-4p1d"), routing=("uniform",), requests=120)


def test_all_finish_once(small):
    """Every request has all its tokens, in order of time."""
    result = simulate(small)
    log = result.log
    assert log.finished.all()
    assert (log.generated == log.output_tokens).all()
    assert (log.arrival_s <= log.prefill_start_s).all()
    assert (log.first_token_s <= log.finish_s).all()
    assert result.samples["tokens"].sum() == log.output_tokens.sum()


def test_same_seed_same_result(small):
    """Equal seeds give equal times, other seeds others."""
    one, two = (simulate(small, seed=4).log.finish_s for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (simulate(small, seed=5).log.finish_s != one).any()


def test_until_leaves_some_in_flight(small):
    """A simulation that stops early counts the tokens made so far."""
    result = simulate(small, until_s=10.0)
    counts = result.summary["requests"]
    assert counts["arrived"] == counts["finished"] + counts["in_flight"]
    assert counts["in_flight"] > 0
    assert result.log.generated.sum() > result.log.output_tokens[result.log.finished].sum()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("executor", "kind"), [("decode-0", "die"), ("prefill-0", "node")])
def test_faults_lose_nothing(small, mode, executor, kind):
    """Whatever fails, every request finishes with all its tokens, later than without."""
    fault = Fault(10.0, executor, kind, lasts_s=30.0)
    failing = dataclasses.replace(small, fault=(fault,), recovery=Recovery(mode=mode))
    log, calm = simulate(failing).log, simulate(small).log
    assert (log.generated == log.output_tokens).all()
    assert log.finish_s.mean() > calm.finish_s.mean()


def test_a_lost_decode_die_recomputes(small):
    """What ran on a failed executor is computed again."""
    failing = dataclasses.replace(small, fault=(Fault(10.0, "decode-0", "die", lasts_s=30.0),))
    assert simulate(failing).log.recomputed_tokens.sum() > 0


def test_a_slow_die_slows_all(small):
    """One die at half speed holds up the steps of its executor."""
    slow = dataclasses.replace(small, fault=(Fault(0.0, "decode-0", "slow", speed=0.5),))
    assert simulate(slow).summary["tpot_s"]["mean"] > simulate(small).summary["tpot_s"]["mean"]


def test_missing_experts_cost_quality_not_time(small):
    """The executor goes on at once, and the summary says what was not computed."""
    fault = Fault(5.0, "decode-0", "die", 5, lasts_s=40.0)
    result = {}
    for mode in ("missing-experts", "shrink"):
        failing = dataclasses.replace(small, fault=(fault,), recovery=Recovery(mode=mode))
        result[mode] = simulate(failing)
        assert result[mode].log.finished.all()
    missing, shrunk = (result[mode].summary["faults"] for mode in ("missing-experts", "shrink"))
    assert 0 < missing["lost_expert_choices"] < 5 / 128
    assert shrunk["lost_expert_choices"] == 0
    assert missing["stood_still_s"]["decode-0"] < shrunk["stood_still_s"]["decode-0"]
    assert "faults" not in simulate(small).summary


@pytest.mark.parametrize("mode", ["missing-experts", "shrink"])
@pytest.mark.parametrize("index", [3, 40])
def test_attention_and_expert_dies_fail_apart(small, mode, index):
    """Of a disaggregated decode executor; only expert dies take experts along."""
    apart = dataclasses.replace(
        small.executor[1], dies=96, attention_domains=2, attention_dies=16, slots_per_rank=5
    )
    fault = Fault(5.0, "decode-0", "die", index, lasts_s=20.0)
    result = simulate(
        dataclasses.replace(
            small, executor=(small.executor[0], apart), fault=(fault,), recovery=Recovery(mode)
        )
    )
    assert result.log.finished.all()
    faults = result.summary["faults"]
    assert (faults["lost_expert_choices"] > 0) == (mode == "missing-experts" and index == 40)
    assert (result.log.recomputed_tokens.sum() > 0) == (index == 3)


def test_dies_that_come_back_are_loaded(small):
    """The executor pauses shortly for it, and loses nothing."""
    fault = Fault(5.0, "decode-0", "die", 5, lasts_s=30.0)
    failing = dataclasses.replace(small, fault=(fault,), recovery=Recovery("missing-experts"))
    summary = simulate(failing, until_s=60.0).summary["faults"]
    (outage,) = summary["outages"]
    unloaded = outage["resumed_s"] - outage["failed_s"]
    assert unloaded + 0.05 < summary["stood_still_s"]["decode-0"] < unloaded + 1


def test_stragglers_get_less(small):
    """Rebalancing takes load off a slow die, so that the others wait less for it."""
    slow = dataclasses.replace(
        small, rate_factor=20.0, fault=(Fault(0.0, "decode-0", "slow", speed=0.4),)
    )
    table = RebalanceTable(window_s=0.5, mode="stop-the-world", solver="greedy")
    waits = [
        simulate(one).samples["experts_max_s"].sum() for one in (slow, _rebalanced(slow, table))
    ]
    assert waits[1] < waits[0]


def _rebalanced(scenario, table):
    return dataclasses.replace(scenario, rebalance=table)


@pytest.mark.parametrize("mode", ["stop-the-world", "layer-by-layer", "four-phase"])
def test_rebalancing_finishes(small, mode):
    """Weights move while requests are served, in every mode, and the summary has it."""
    table = RebalanceTable(window_s=5.0, mode=mode, solver="random")
    result = simulate(dataclasses.replace(small, rebalance=table))
    log, moved = result.log, result.summary["rebalancing"]
    assert (log.generated == log.output_tokens).all()
    assert moved["rebalances"] > 0
    assert moved["moved_bytes"] > 1e9
    assert moved["paused_s"] > 0
    assert f"rebalanced {moved['rebalances']} times" in rates(result)[2]
    assert "rebalancing" not in simulate(small).summary


def test_expert_locality_keeps_domains_apart(small):
    """With several decode executors, those of one domain meet more often than by load alone."""
    two = dataclasses.replace(small.executor[1], count=2, dies=64, slots_per_rank=5)
    law = dataclasses.replace(
        small,
        executor=(small.executor[0], two),
        routing=("deepseek-v3-decode",),
        domains=dict.fromkeys(("domain 0", "domain 1"), 0.5),
        requests=60,
        rate_factor=4.0,
    )

    def purity(router):
        result = simulate(dataclasses.replace(law, decode_job=router))
        assert result.log.finished.all()
        place = result.log.decode_executor
        domain = requests(law, routing_model(law, 0), 0).domain
        return sum(np.bincount(domain[place == one]).max() for one in np.unique(place)) / len(place)

    assert purity("expert-locality") > purity("least-loaded")


def test_colocated(small):
    """Executors that do both need no transfer."""
    both = dataclasses.replace(small.executor[1], role="both")
    log = simulate(dataclasses.replace(small, executor=(both,))).log
    assert (log.generated == log.output_tokens).all()
    assert log.transfers_s.sum() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fault": (Fault(1.0, "decode-7", "die"),)}, "decode-7"),
        ({"fault": (Fault(1.0, "decode-0", "die", index=500),)}, "500"),
        ({"decode": "no-such"}, "no-such"),
        ({"plane": "tin-can"}, "tin-can"),
        ({"routing": ("dsv2lite-intent",)}, "64 experts"),
        ({"fault": (Fault(1.0, "decode-0", "link", name="die0.0:l1.9.9"),)}, "no link between"),
        ({"fault": (Fault(1.0, "decode-0", "switch", 10**6),)}, "1000000 breaks 0 <= index"),
        ({"fault": (Fault(1.0, "decode-0", "link", plane="vpc"),)}, "plane = 'vpc' is none"),
        ({"faults": FaultRates({"die": 1e3, "disk": 1e3}, {})}, "'disk' is not one of"),
    ],
)
def test_bad_input_is_named_before_time_starts(small, change, message):
    """What cannot be is a ValueError that names it."""
    with pytest.raises(ValueError, match=message):
        simulate(dataclasses.replace(small, **change))


def test_a_request_longer_than_any_cache_is_named(small):
    """A request that fits nowhere is refused before time starts."""
    huge = {"requests": 1, "prompt_tokens": 10_000_000, "output_tokens": 2}
    with pytest.raises(ValueError, match="request 0 has 10000000 prompt"):
        simulate(dataclasses.replace(small, trace="generated", generate=huge, requests=0))


def test_weights_that_do_not_fit_are_named(small):
    """A deployment without memory for its experts is refused."""
    crowded = dataclasses.replace(small.executor[1], dies=16, slots_per_rank=64)
    with pytest.raises(ValueError, match="leave"):
        simulate(dataclasses.replace(small, executor=(small.executor[0], crowded)))


@pytest.mark.parametrize("name", available())
def test_bundled_scenarios_are_read(name):
    """Every bundled scenario passes its checks."""
    assert read(name).executor


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\ntrace = "y"\n', "executor"),
        ('name = "x"\ntrace = "y"\n[[executor]]\nrole = "cook"\ndies = 4\n', "cook"),
        ('name = "x"\ntrace = "y"\n[[executor]]\nrole = "prefill"\ndies = 4\n', "decode"),
        ('name = "x"\ntrace = "y"\ntypo = 1\n[[executor]]\nrole = "both"\ndies = 4\n', "typo"),
        (
            'name = "x"\ntrace = "y"\n[[executor]]\nrole = "both"\ndies = 4\ndies_per_group = 3\n',
            "does not divide",
        ),
    ],
)
def test_bad_scenarios_are_refused(tmp_path, text, message):
    """A scenario file with a wrong key or an impossible deployment is named."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read(path)


def test_a_policy_beats_none_under_strong_drift():
    """Steps of decode are shorter where experts are placed anew while their popularity drifts."""
    drifting = dataclasses.replace(read("rebalance-drift"), sample_s=1.0)
    step_s = []
    for table in (drifting.rebalance, None):
        result = simulate(_rebalanced(drifting, table), until_s=45.0)
        late = result.samples.of(2)["time_s"] > 20.0
        columns = {name: column[late] for name, column in result.samples.of(2).items()}
        assert columns["running"].min() > 1000
        step_s.append(columns["busy_s"].sum() / columns["steps"].sum())
    assert step_s[0] < 0.97 * step_s[1]


def test_drift_needs_a_law(small):
    """Even experts and recordings have none that could play along."""
    with pytest.raises(ValueError, match=r"routing_step_s = 1 needs a law that drifts, routing"):
        simulate(dataclasses.replace(small, routing_step_s=1.0))
