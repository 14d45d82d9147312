"""`podlab fabric show`, as a user types it."""

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app
from evaluation.report.assets import plotly_file

RUNNER = CliRunner()


def test_fabric_show_draws(tmp_path):
    """What it is made of, where traffic meets, and a picture."""
    out = tmp_path / "fabric.html"
    call = ["fabric", "show", "cloudmatrix384", "--ranks", "32", "--out", str(out)]
    result = RUNNER.invoke(app, [*call, "--fail", "l1.0.0", "--degrade", "die0.0:l1.0.1=0.5"])
    assert result.exit_code == 0, result.output
    assert "13 l1" in result.stdout
    page = out.read_text()
    assert "13 l1" in page
    assert page.count('class="plot"') == 1


def test_fabric_show_keeps_the_whole_machine_small(tmp_path):
    """768 dies are drawn by server: all but plotly.js, of 4.8 MB, is below 200 kB."""
    out = tmp_path / "fabric.html"
    result = RUNNER.invoke(app, ["fabric", "show", "cloudmatrix384", "--out", str(out)])
    assert result.exit_code == 0
    assert out.stat().st_size - plotly_file().stat().st_size < 200_000
    assert "768 die" in result.stdout


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
        (
            ["fabric", "show", "h100", "--ranks", "8", "--out", "a.pdf"],
            "ends in .html or .svg or .png",
        ),
        (["fabric", "show", "h100", "--ranks", "8", "--traffic", "odd"], "give uniform, neighbour"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
