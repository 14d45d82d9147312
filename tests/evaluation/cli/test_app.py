"""The help of `podlab`."""

from typer.testing import CliRunner

from evaluation.cli.app import PANELS, app


def test_commands_are_grouped():
    """Every group of commands has its title, in the order of the work."""
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).output
    places = [text.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    assert "─ Commands ─" not in text
