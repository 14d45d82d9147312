"""[recovery] tables are read strictly."""

import pytest

from evaluation.serving.faults.recovery import MODES, Recovery
from evaluation.serving.scenario.recovery_table import parse_recovery


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"mode": "shrnk"}, "mode = 'shrnk'; did you mean 'shrink'"),
        ({"mode": 3}, "give one of restart-the-world, failover"),
        ({"spares": 1}, "spares = 1; give true or false"),
        ({"heartbeat_s": 0}, "heartbeat_s = 0; give a finite number > 0"),
        ({"straggler_s": -1}, "straggler_s = -1; give a finite number >= 0"),
        ({"missed_heartbeats": 0}, "missed_heartbeats = 0; give an integer >= 1"),
        ({"role_switch_s": -1}, "role_switch_s = -1; give a finite number >= 0"),
        ({"full_restart": 5}, "unknown key 'full_restart'; did you mean 'full_restart_s'"),
    ],
)
def test_wrong_tables_are_refused(table, message) -> None:
    """The message names the key and the value, and says how to fix it."""
    with pytest.raises(ValueError, match=message):
        parse_recovery(table)


def test_tables_are_read() -> None:
    """A key that is left out has its default."""
    assert parse_recovery({}) == Recovery()
    assert [parse_recovery({"mode": mode}).mode for mode in MODES] == list(MODES)
    with pytest.raises(ValueError, match=r"give a \[recovery\] table"):
        parse_recovery("shrink")
