"""`podlab fabric show`, as a user types it."""

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_fabric_show_draws(tmp_path, suffix):
    """What it is made of, where traffic meets, and a picture."""
    out = tmp_path / f"fabric.{suffix}"
    call = ["fabric", "show", "cloudmatrix384", "--ranks", "32", "--out", str(out)]
    said = RUNNER.invoke(app, [*call, "--fail", "l1.0.0", "--degrade", "die0.0:l1.0.1=0.5"])
    assert said.exit_code == 0, said.output
    assert "13 l1" in said.stdout
    text = out.read_text()
    assert "<svg" in text
    assert text.count("<circle") == 165


def test_fabric_show_keeps_the_whole_machine_small(tmp_path):
    """768 dies are drawn by server: below 2 MB."""
    out = tmp_path / "fabric.svg"
    said = RUNNER.invoke(app, ["fabric", "show", "cloudmatrix384", "--out", str(out)])
    assert said.exit_code == 0
    assert out.stat().st_size < 2e6
    assert "768 die" in said.stdout


def test_fabric_show_reads_traffic_from_a_file(tmp_path):
    """A matrix of bytes."""
    np.save(tmp_path / "sent.npy", np.eye(8)[::-1] * 1e6)
    call = ["fabric", "show", "h100", "--ranks", "8", "--traffic", str(tmp_path / "sent.npy")]
    assert RUNNER.invoke(app, call).exit_code == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["fabric", "show", "h10"], "did you mean 'h100'?"),
        (["fabric", "show", "h100", "--ranks", "0"], "num_ranks = 0 is outside"),
        (["fabric", "show", "h100", "--ranks", "8", "--fail", "rail7"], "no node 'rail7'"),
        (["fabric", "show", "h100", "--ranks", "8", "--degrade", "a"], "--degrade a: give a link"),
        (["fabric", "show", "h100", "--ranks", "8", "--out", "a.png"], "ends in .svg or .html"),
        (["fabric", "show", "h100", "--ranks", "8", "--traffic", "odd"], "give uniform, neighbour"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    said = RUNNER.invoke(app, call)
    assert said.exit_code == 2
    assert message in said.stderr
    assert said.stderr.startswith("podlab: ")
    assert said.stderr.count("\n") == 1
