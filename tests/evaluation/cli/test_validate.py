"""`podlab validate`, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


def test_validate_prints_json_of_a_family():
    """One family, machine-readable."""
    said = RUNNER.invoke(app, ["validate", "--family", "cloudmatrix-ep", "--json"])
    assert said.exit_code == 0
    assert len(json.loads(said.stdout)["anchors"]) == 6


def test_validate_prints_the_table_and_the_summary():
    """Anchors with their errors, then families."""
    said = RUNNER.invoke(app, ["validate", "--family", "cloudmatrix-decode"])
    assert "cm-layer-mtp" in said.stdout
    assert "Absolute error by family" in said.stdout


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["validate", "--family", "moon"], "unknown family ['moon']"),
        (["validate", "--anchors", "none.toml"], "none.toml"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    said = RUNNER.invoke(app, call)
    assert said.exit_code == 2
    assert message in said.stderr
    assert said.stderr.startswith("podlab: ")
    assert said.stderr.count("\n") == 1
