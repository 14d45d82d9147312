"""Stages and saturation of xDeepServe's disaggregated deployment."""

import pytest

from evaluation.step.disaggregated import Disaggregated
from hardware import Collectives, Device, Fabric, Library, Model, Operators
from hardware.faults import Jitter

MODEL = Model.preset("deepseek-v3")
OPERATORS = Operators(Device.preset("ascend-910c-die"), MODEL, shared_local=False)
XCCL = Collectives(Fabric.preset("cloudmatrix384", 32), MODEL, Library.preset("xccl"))
MEASURED = {"attention": 700e-6, "a2e": 172e-6, "experts": 120e-6, "e2a": 193e-6}


def _machine(domains: int, jitter: Jitter | None = None) -> Disaggregated:
    return Disaggregated(OPERATORS, XCCL, domains, 160, 288, 2, 3072, 1, jitter)


def test_e2a_saturates_at_the_fourth_domain() -> None:
    """Six micro-batches of 193 µs fit into 1.4 ms, eight do not (arXiv:2508.02520, 5.2).

    A domain has two micro-batches, and its attention takes 2 x 700 µs = 1.4 ms per layer.
    """
    ran = {domains: _machine(domains).run_stages(MEASURED) for domains in (2, 3, 4)}
    assert ran[3].total == pytest.approx(ran[2].total, rel=0.02)
    assert ran[3].busy()["e2a"] == pytest.approx(6 * 193 / 1400, abs=0.02)
    assert ran[4].busy()["e2a"] > 0.97
    assert ran[4].total > 1.08 * ran[3].total


def test_priced_stages_saturate_alike() -> None:
    """With the stage times of the model, E2A saturates at the fourth domain, too."""
    three, four = _machine(3).run(96), _machine(4).run(96)
    assert three.busy()["e2a"] < 0.9 < 0.97 < four.busy()["e2a"]
    assert four.total > 1.03 * three.total


def test_jitter_and_imbalance_lengthen_stages() -> None:
    """A2E waits for the slowest of 160 dies; the most loaded expert die computes longer."""
    calm, noisy = _machine(3).stages(96), _machine(3, Jitter(0.05)).stages(96)
    assert noisy["attention"] > 1.1 * calm["attention"]
    assert _machine(3).stages(96, balancedness=0.5)["experts"] > 1.5 * calm["experts"]


@pytest.mark.parametrize(("tokens", "balance"), [(0, 1.0), (96, 0.0), (96, 1.5)])
def test_impossible_loads_are_refused(tokens: float, balance: float) -> None:
    """The error message states the rule."""
    with pytest.raises(ValueError, match="must both hold"):
        _machine(3).stages(tokens, balance)
