"""`podlab validate`, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


def test_validate_prints_json_of_a_family():
    """One family, machine-readable."""
    result = RUNNER.invoke(app, ["validate", "--family", "cloudmatrix-ep", "--json"])
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["anchors"]) == 6


def test_validate_prints_the_table_and_the_summary():
    """Anchors with their errors, then families and lanes."""
    result = RUNNER.invoke(app, ["validate", "--family", "cloudmatrix-decode"])
    assert "cm-layer-mtp" in result.stdout
    assert "Errors by family" in result.stdout
    assert "steps · fit" in result.stdout


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["validate", "--family", "moon"], "unknown family ['moon']"),
        (["validate", "--anchors", "none.toml"], "none.toml"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
