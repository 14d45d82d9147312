"""`podlab timeline`, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


def test_timeline_writes_a_trace(tmp_path):
    """The default scenario under EPLB, two micro-batches on two streams."""
    out = tmp_path / "step.json"
    call = ["timeline", "--plan", "two-stream", "--micro-batches", "2", "--layers", "2"]
    result = RUNNER.invoke(app, [*call, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "2 layers, " in result.stdout
    assert json.loads(out.read_text())["traceEvents"]


def _drawn(tmp_path, *call):
    """Return what a call says, and the microseconds of the attention of rank 0."""
    out = tmp_path / "step.json"
    result = RUNNER.invoke(app, ["timeline", *call, "--out", str(out)])
    assert result.exit_code == 0, result.output
    events = json.loads(out.read_text())["traceEvents"]
    attention = next(e for e in events if e["name"] == "attention" and e["pid"] == 0)
    return result.stdout, attention["dur"]


def test_a_priced_step_of_a_workload_is_drawn(tmp_path, workload_files):
    """Of the window after the change, or another one; each step has its phase."""
    suite = tmp_path / "own.toml"
    suite.write_text(
        f"""
id = "own-v1"
[[scenario]]
id = "served"
workload = {list(workload_files)}
model = "deepseek-v3"
num_ranks = 32
slots_per_rank = 9
window_s = 10.0
windows = 6
sampled_steps = 4
change_window = 2
"""
    )
    said, prefill_us = _drawn(tmp_path, "--suite", str(suite))
    assert "served, window 2, step 0 of 4" in said
    assert "2 layers, 32 ranks" in said
    _, decode_us = _drawn(tmp_path, "--suite", str(suite), "--at", "1", "--step", "3")
    assert prefill_us != decode_us
    call = ["timeline", "--suite", str(suite), "--step", "4", "--out", str(tmp_path / "x.json")]
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 2
    assert "step = 4 breaks step < 4, the priced steps of window 2" in result.stderr


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
