"""Fault tables of a scenario are read strictly, and written as they were read."""

import tomllib

import pytest

from evaluation.serving.faults.fault import Fault
from evaluation.serving.scenario.fault_table import as_table, parse_faults, parse_rates


def _tables(text: str) -> list[dict]:
    return tomllib.loads(text)["fault"]


def test_tables_become_faults() -> None:
    """What is left out has its default."""
    result = parse_faults(
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
    assert result == (
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


def test_a_fault_goes_into_a_table_and_back() -> None:
    """What has its default is left out."""
    faults = (
        Fault(60.5, "decode-0", "die", 5),
        Fault(1, "decode-0", "slow", 0, 30, 0.5, detected=False),
        Fault(2, "a", "link", name="0:1", plane="rdma"),
    )
    assert parse_faults([as_table(fault) for fault in faults]) == faults
    assert as_table(Fault(2, "a", "glitch")) == {"at_s": 2, "executor": "a", "kind": "glitch"}


def test_rates_are_read_strictly() -> None:
    """mtbf_s is needed, repair_s is not, and others are not known."""
    assert parse_rates({"mtbf_s": {"die": 5}}) == ({"die": 5}, {}, None)
    both = {"mtbf_s": {"die": 5}, "repair_s": {"die": 2.5}}
    assert parse_rates(both) == (both["mtbf_s"], both["repair_s"], None)
    assert parse_rates({**both, "until_s": 60}).until_s == 60
    with pytest.raises(ValueError, match="until_s = 0; give a finite number > 0"):
        parse_rates({**both, "until_s": 0})
    with pytest.raises(ValueError, match="faults: unknown key 'mtbf'; did you mean 'mtbf_s'"):
        parse_rates({"mtbf": {"die": 5}})
    with pytest.raises(ValueError, match="key 'mtbf_s' is missing"):
        parse_rates({})
    with pytest.raises(ValueError, match="'disk' is not one of"):
        parse_rates({"mtbf_s": {"disk": 5}})
    with pytest.raises(ValueError, match="give a"):
        parse_rates([3])
