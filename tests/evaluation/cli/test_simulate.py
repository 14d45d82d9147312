"""podlab simulate, as a user calls it."""

import json
import tomllib

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

SCENARIO = """
name = "tiny"
trace = "generated"
generate = { requests = 20, prompt_tokens = 200, output_tokens = 20, rate = 5.0 }
routing = "uniform"
[[executor]]
role = "prefill"
dies = 32
slots_per_rank = 9
[[executor]]
role = "decode"
dies = 32
slots_per_rank = 9
"""


@pytest.fixture
def scenario(tmp_path):
    """A scenario of twenty requests."""
    path = tmp_path / "tiny.toml"
    path.write_text(SCENARIO)
    return str(path)


def test_files_are_written(tmp_path, scenario):
    """Requests, samples, report and timeline are all there."""
    names = {
        "--out": "r.csv",
        "--samples": "s.parquet",
        "--report": "p.html",
        "--timeline": "t.json",
    }
    options = [part for key, name in names.items() for part in (key, str(tmp_path / name))]
    answer = CliRunner().invoke(app, ["simulate", scenario, *options])
    assert answer.exit_code == 0, answer.output
    assert "20 requests arrived" in answer.output
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 21
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert "tiny" in (tmp_path / "p.html").read_text()


def test_faults_are_written_to_be_played_again(tmp_path, scenario):
    """Drawn ones as tables, on the screen and in the timeline."""
    rates = "[faults]\nuntil_s = 3.0\n[faults.mtbf_s]\nglitch = 1.0\n"
    path = tmp_path / "glitches.toml"
    path.write_text(SCENARIO + rates)
    names = ["--faults", str(tmp_path / "played.toml"), "--timeline", str(tmp_path / "t.json")]
    answer = CliRunner().invoke(app, ["simulate", str(path), *names])
    assert answer.exit_code == 0, answer.output
    assert "downtime" in answer.output
    faults = tomllib.loads((tmp_path / "played.toml").read_text())["fault"]
    assert {fault["kind"] for fault in faults} == {"glitch"}
    assert CliRunner().invoke(app, ["simulate", scenario, "--faults", "x.csv"]).exit_code == 2


def test_json(scenario):
    """--json prints the summary alone."""
    answer = CliRunner().invoke(app, ["simulate", scenario, "--json"])
    assert json.loads(answer.stdout)["requests"]["finished"] == 20


@pytest.mark.parametrize(
    "options", [["--until", "-1"], ["--out", "x.txt"], ["--timeline", "t.json", "--between", "3"]]
)
def test_bad_calls_leave_with_2(scenario, options):
    """A wrong option is refused in one line before anything runs."""
    assert CliRunner().invoke(app, ["simulate", scenario, *options]).exit_code == 2
