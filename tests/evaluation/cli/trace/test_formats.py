"""`podlab trace formats`, as a user types it."""

from tests.evaluation.cli.trace.calls import podlab
from traces import formats


def test_formats():
    """Every registered format has its line, with what it is and whether it is written."""
    result = podlab("formats")
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert set(lines) == {*formats.ROUTING, *formats.REQUESTS}
    assert "routing   read, written  The balancing competition" in lines["competition"]
