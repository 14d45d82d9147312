"""Faults are read strictly, and know when they hold."""

import math
import tomllib

import numpy as np
import pytest

from evaluation.serving.faults.fault import (
    Fault,
    active,
    as_table,
    in_order,
    parse_faults,
    rank_speed,
)


def _tables(text: str) -> list[dict]:
    return tomllib.loads(text)["fault"]


def test_tables_become_faults() -> None:
    """What is left out has its default."""
    found = parse_faults(
        _tables(
            """
            [[fault]]
            at_s = 60
            executor = "decode-0"
            kind = "die"
            index = 5
            [[fault]]
            at_s = 1.5
            executor = "decode-0"
            kind = "slow"
            lasts_s = 30
            speed = 0.5
            detected = false
            """
        )
    )
    assert found == (
        Fault(60, "decode-0", "die", 5),
        Fault(1.5, "decode-0", "slow", 0, 30, 0.5, detected=False),
    )
    assert parse_faults([]) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kidn": "die"}, r"fault\[0\]: unknown key 'kidn'; did you mean 'kind'"),
        ({"at_s": -1}, r"fault\[0\]: at_s = -1; give a finite number >= 0"),
        ({"kind": "fire"}, "kind = 'fire'; give one of die, node, link"),
        ({"kind": ["die"]}, "give one of die, node, link"),
        ({"index": -1}, "index = -1; give an integer >= 0"),
        ({"index": 1.5}, "index = 1.5; give an integer"),
        ({"lasts_s": 0}, "lasts_s = 0; give a finite number > 0"),
        ({"speed": 1.5}, "speed = 1.5; give a fraction"),
        ({"detected": 1}, "detected = 1; give true or false"),
        ({"executor": ""}, "give a non-empty string"),
    ],
)
def test_wrong_tables_are_refused(change, message) -> None:
    """Table, key and value are named."""
    with pytest.raises(ValueError, match=message):
        parse_faults([{"at_s": 1, "executor": "a", "kind": "die", **change}])


@pytest.mark.parametrize("tables", [{"at_s": 1}, [3], "die"])
def test_what_is_no_list_of_tables_is_refused(tables) -> None:
    """One table in single brackets, say."""
    with pytest.raises(ValueError, match=r"give \[\[fault\]\] tables"):
        parse_faults(tables)


def test_a_missing_key_is_named() -> None:
    """A fault needs a time, an executor and a kind."""
    with pytest.raises(ValueError, match=r"fault\[0\]: key 'executor' is missing"):
        parse_faults([{"at_s": 1, "kind": "die"}])


def test_a_fault_holds_from_its_time_until_its_repair() -> None:
    """The first moment counts, the last does not; never repaired is for good."""
    short, ever = Fault(10, "a", "die", lasts_s=5), Fault(12, "a", "node")
    other = Fault(0, "b", "die")
    assert active([short, ever, other], "a", 9.99) == ()
    assert active([short, ever, other], "a", 10) == (short,)
    assert active([short, ever, other], "a", 14.99) == (short, ever)
    assert active([short, ever, other], "a", 15) == (ever,)
    assert ever.ends_s == math.inf


def test_slow_dies_multiply(decode) -> None:
    """Two causes on one die; other executors and kinds change nothing."""
    faults = [
        Fault(0, "decode-0", "slow", 3, speed=0.5),
        Fault(0, "decode-0", "slow", 3, speed=0.8),
        Fault(0, "prefill-0", "slow", 1, speed=0.1),
        Fault(0, "decode-0", "die", 2),
    ]
    expected = np.ones(32)
    expected[3] = 0.4
    np.testing.assert_allclose(rank_speed(faults, decode), expected)


def test_faults_are_put_in_order() -> None:
    """By time; those of one time stay as given."""
    late, one, other = Fault(2, "a", "die"), Fault(1, "b", "die"), Fault(1, "a", "die")
    assert in_order([late, one, other]) == (one, other, late)


def test_a_fault_goes_into_a_table_and_back() -> None:
    """What has its default is left out."""
    faults = (
        Fault(60.5, "decode-0", "die", 5),
        Fault(1, "decode-0", "slow", 0, 30, 0.5, detected=False),
        Fault(2, "a", "link", name="0:1", plane="rdma"),
    )
    assert parse_faults([as_table(fault) for fault in faults]) == faults
    assert as_table(Fault(2, "a", "glitch")) == {"at_s": 2, "executor": "a", "kind": "glitch"}
