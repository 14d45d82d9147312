"""The faults of a scenario: drawn before the simulation, and repeatable from their schedule."""

import dataclasses
import tomllib

import numpy as np
import pytest

from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import FaultRates
from evaluation.serving.faults.recovery import MODES, Recovery
from evaluation.serving.results.files import write_faults
from evaluation.serving.scenario.fault_table import parse_faults
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from evaluation.serving.scenario.scenario import read
from evaluation.serving.simulate import simulate


@pytest.fixture(scope="module")
def small():
    """The bundled scenario with even experts and 120 requests."""
    return dataclasses.replace(read("azure-4p1d"), routing=("uniform",), requests=120)


def test_drawn_faults_can_be_played_again(small, tmp_path):
    """The schedule that a run writes gives the same run, without rates and whatever the seed."""
    drawn = dataclasses.replace(
        small,
        faults=FaultRates({"link": 1e5, "die": 5e3}, {"link": 5.0, "die": 10.0}),
        recovery=Recovery("missing-experts"),
    )
    one, same = simulate(drawn, seed=3), simulate(drawn, seed=3)
    assert len(one.faults) > 2
    np.testing.assert_array_equal(one.log.finish_s, same.log.finish_s)
    write_faults(one.faults, tmp_path / "faults.toml")
    tables = tomllib.loads((tmp_path / "faults.toml").read_text())["fault"]
    assert tables == one.scenario["fault"]
    again = dataclasses.replace(drawn, faults=None, fault=parse_faults(tables))
    np.testing.assert_array_equal(simulate(again, seed=3).log.finish_s, one.log.finish_s)
    assert simulate(drawn, seed=4).faults != one.faults


def test_rates_need_a_time_in_which_to_fail(small):
    """All requests at once leave none; until_s gives it."""
    alike = {"requests": 8, "prompt_tokens": 64, "output_tokens": 4}
    rates = FaultRates({"glitch": 1.0}, {})
    at_once = dataclasses.replace(
        small, trace="generated", generate=alike, requests=0, faults=rates
    )
    with pytest.raises(ValueError, match=r"give faults\.until_s"):
        simulate(at_once)
    longer = dataclasses.replace(at_once, faults=rates._replace(until_s=10.0))
    assert max(fault.at_s for fault in simulate(longer).faults) < 10


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_mixes_of_all_that_is_drawn_lose_nothing(small, mode, seed):
    """Dies, nodes, links, switches and glitches, together with stragglers and a rebalance."""
    mtbf_s = {"die": 800.0, "node": 200.0, "link": 1e4, "switch": 2e3, "glitch": 10.0}
    quick = dict.fromkeys(("full_restart_s", "colocated_s", "colocated_load_s"), 3.0)
    scenario = dataclasses.replace(
        small,
        plane="ub",
        requests=50,
        rate_factor=2.0,
        executor=(
            dataclasses.replace(small.executor[0], count=2),
            dataclasses.replace(small.executor[1], dies=32, slots_per_rank=10),
        ),
        fault=(Fault(3.0, "decode-0", "slow", 7, 9.0, 0.5),),
        faults=FaultRates(mtbf_s, dict.fromkeys(mtbf_s, 6.0), until_s=20.0),
        recovery=Recovery(mode=mode, spares=seed > 0, **quick),
        rebalance=RebalanceTable(window_s=1.0, solver="greedy"),
    )
    result = simulate(scenario, seed=seed)
    kinds = {fault.kind for fault in result.faults}
    assert kinds & {"link", "switch"}
    assert kinds & {"die", "node"}
    assert (result.log.generated == result.log.output_tokens).all()


def test_a_die_without_its_rdma_link_is_lost(small):
    """Keys and values go by that plane here; the other plane has other links."""
    link = Fault(10.0, "decode-0", "link", name="die0.3:rdma", plane="rdma", lasts_s=20.0)
    result = simulate(dataclasses.replace(small, fault=(link,), recovery=Recovery("shrink")))
    ((_, plan),) = result.failures
    assert plan.lost_dies == (3,)
    assert result.log.finished.all()
    with pytest.raises(ValueError, match="no link between"):
        simulate(dataclasses.replace(small, fault=(dataclasses.replace(link, plane=""),)))


def test_the_bundled_scenario_of_faults_has_all_of_them():
    """A die, a straggler, a switch, and links at random."""
    scenario = read("faults-recovery")
    assert {fault.kind for fault in scenario.fault} == {"die", "slow", "switch"}
    assert set(scenario.faults.mtbf_s) == {"link"}
    result = simulate(dataclasses.replace(scenario, requests=200, rate_factor=1.0))
    assert result.log.finished.all()
    assert result.summary["faults"]["lost_expert_choices"] > 0
