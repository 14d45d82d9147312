"""Tables of commands keep their numbers and units."""

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app
from evaluation.cli.tables import table_console


@pytest.mark.parametrize(("columns", "width"), [("40", 110), ("110", 110), ("150", 150)])
def test_a_console_is_never_narrower_than_its_table(monkeypatch, columns, width):
    """A terminal of 40 columns, or a pipe, gives the 110 columns that a table needs."""
    monkeypatch.setenv("COLUMNS", columns)
    assert table_console(110).width == width


def test_a_piped_plan_is_printed_in_full():
    """No cell is shortened to "…", where Rich assumes 80 columns for a pipe."""
    call = ["plan", "azure-busy", "--prefill", "1", "--decode-dies", "32", "--requests", "20"]
    result = CliRunner().invoke(app, [*call, "--all"], env={"COLUMNS": "80"})
    assert result.exit_code in (0, 1), result.output
    assert "TPOT" in result.stdout
    assert "…" not in result.stdout
