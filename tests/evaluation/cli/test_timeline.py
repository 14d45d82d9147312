"""`podlab timeline`, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


def test_timeline_writes_a_trace(tmp_path):
    """The default scenario under EPLB, two micro-batches on two streams."""
    out = tmp_path / "step.json"
    call = ["timeline", "--plan", "two-stream", "--micro-batches", "2", "--layers", "3"]
    result = RUNNER.invoke(app, [*call, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "3 layers, 16 ranks" in result.stdout
    assert json.loads(out.read_text())["traceEvents"]


def test_timeline_draws_the_disaggregated_deployment(tmp_path):
    """Three domains, six streams."""
    out = tmp_path / "step.json"
    result = RUNNER.invoke(app, ["timeline", "--disaggregated", "--out", str(out)])
    assert result.exit_code == 0, result.output
    names = {
        e["args"]["name"]
        for e in json.loads(out.read_text())["traceEvents"]
        if "args" in e and e["name"] == "thread_name"
    }
    assert names == {*(f"attention of domain {n}" for n in range(3)), "a2e", "experts", "e2a"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["timeline", "--out", "x.txt"], "--out x.txt: give a name that ends in .json"),
        (["timeline", "--disaggregated", "--out", "no/x.json"], "there is no folder"),
        (["timeline", "moon"], "has no scenario 'moon'"),
        (["timeline", "--plan", "magic"], "plan = 'magic'"),
        (["timeline", "--solver", "epbl"], "did you mean"),
        (["timeline", "--step", "100000"], "step = 100000 breaks step <"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
