"""What does not fit is refused, and by how much."""

import pytest

from hardware import Device, Model, Operators
from hardware.memory import check_fit, footprint, most_sequences

OPERATORS = Operators(Device.preset("ascend-910c-die"), Model.preset("deepseek-v3"))


def test_one_expert_a_die_and_96_sequences_fit() -> None:
    """CloudMatrix-Infer runs EP320 with 48 sequences a die of 64 GB; experts are 58 x 44 MB."""
    held = check_fit(OPERATORS, 1, 48, 4096)
    assert held.experts == pytest.approx(58 * 44_040_192)
    assert held.cache == pytest.approx(48 * 4096 * 70_272)
    assert held.total < 64e9


def test_what_is_missing_is_said() -> None:
    """All 256 experts on one die are 654 GB of experts alone."""
    with pytest.raises(ValueError, match=r"does not fit on Ascend 910C.*> 64\.0 GB.*GB too much"):
        check_fit(OPERATORS, 256, 1, 4096)


def test_longer_contexts_and_more_slots_take_more() -> None:
    """Every part grows with what decides it."""
    base = footprint(OPERATORS, 1, 10, 1000)
    assert footprint(OPERATORS, 2, 10, 1000).experts == 2 * base.experts
    assert footprint(OPERATORS, 1, 20, 1000).cache == 2 * base.cache
    assert footprint(OPERATORS, 1, 10, 1000).others == base.others


def test_most_sequences_is_the_last_that_fits() -> None:
    """One more does not; more slots leave less; too many leave none."""
    most = most_sequences(OPERATORS, 8, 2048)
    assert most > 1
    check_fit(OPERATORS, 8, most, 2048)
    with pytest.raises(ValueError, match="too much"):
        check_fit(OPERATORS, 8, most + 1, 2048)
    assert most_sequences(OPERATORS, 9, 2048) < most
    assert most_sequences(OPERATORS, 100, 2048) == 0
