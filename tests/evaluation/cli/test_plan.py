"""Podlab plan finds a deployment and writes it; what cannot be is refused."""

import csv
import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app
from evaluation.serving.scenario.scenario import FOLDER, read
from evaluation.serving.simulate import simulate

QUICK = ["--prefill", "1", "--decode-dies", "32", "--batch-limit", "30", "--redundant", "0"]
BURST = ["--requests", "20"]


def plan(*arguments):
    """Run the command on the hurried scenario."""
    return CliRunner().invoke(app, ["plan", "azure-busy", *arguments])


def test_the_best_is_written_and_simulates(tmp_path):
    """The written scenario plays the same requests on the best deployment."""
    out, written = tmp_path / "all.csv", tmp_path / "best.toml"
    files = ["--out", str(out), "--write", str(written)]
    answer = plan(*QUICK, "--span", "5", "--warm-up", "1", "--json", *files)
    assert answer.exit_code == 0, answer.output
    assert "queues do not fill" in answer.stderr
    result = json.loads(answer.stdout)
    best = result["best"]
    assert (best["prefill"], best["decode_dies"], best["batch_limit"]) == (1, 32, 30)
    assert best["share"] >= 0.9
    scenario = read(written)
    assert (scenario.requests, scenario.warm_up_s) == (result["requests"], 1.0)
    summary = simulate(scenario).summary
    assert summary["tpot_s"]["p99"] == pytest.approx(best["tpot_p99_s"])
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(result["candidates"]) == 1


def test_words():
    """Without --json the best is the last line, and warnings go to standard error."""
    answer = plan(*QUICK, *BURST)
    assert answer.exit_code == 0
    assert answer.stdout.strip().splitlines()[-1].startswith("best: 1 × 32 prefill + 32 decode")


def test_none_holds(tmp_path):
    """An SLO out of reach leaves with 1, names the nearest and writes nothing."""
    text = (FOLDER / "azure-busy.toml").read_text(encoding="utf-8")
    scenario, written = tmp_path / "strict.toml", tmp_path / "best.toml"
    scenario.write_text(text.replace("tpot_s = 0.04", "tpot_s = 0.0001"), encoding="utf-8")
    arguments = ["plan", str(scenario), *QUICK, *BURST, "--write", str(written)]
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 1
    assert "no deployment keeps the SLO" in answer.stdout
    assert "nearest: 1 × 32 prefill" in answer.stdout
    assert not written.exists()


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--decode-dies", "4"], "GB"), (["--redundant", "300"], "twice")]
)
def test_impossible_deployments(arguments, words):
    """Experts without memory, and slots beyond the experts, leave with 1 and the reason."""
    answer = plan(*QUICK, *BURST, *arguments)
    assert answer.exit_code == 1
    assert words in answer.stdout
    assert "no deployment can be built" in answer.stdout


def test_the_table_gives_axes_and_flags_override_it(tmp_path):
    """[plan] asks for one deployment; a flag makes two batch limits of it."""
    text = (FOLDER / "azure-busy.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    table = "[plan]\nprefill = [1]\ndecode_dies = [32]\nbatch_limit = [30]\nredundant = [0]\n"
    path.write_text(f"{text}\n{table}", encoding="utf-8")
    arguments = ["plan", str(path), *BURST, "--json"]
    result = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert len(result["candidates"]) == 1
    more = [*arguments, "--batch-limit", "30,60"]
    assert len(json.loads(CliRunner().invoke(app, more).stdout)["candidates"]) == 2
    assert read(path).name == read("azure-busy").name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dies", "3"], "none of"),
        (["--dies", "0"], "dies"),
        (["--rate", "0"], "0 < rate"),
        (["--rate", "-1"], "0 < rate"),
        (["--span", "0"], "0 < span"),
        (["--span", "9", "--requests", "9"], "give one"),
        (["--prefill", "0"], "1 <= prefill"),
        (["--prefill", "two"], "whole number"),
        (["--redundant", "-1"], "0 <= redundant"),
        (["--share", "2"], "0 <= share"),
        (["--margin", "-1"], "0 <= margin"),
        (["--out", "plan.txt"], ".csv"),
        (["--write", "no/such/folder/best.toml"], "no folder"),
    ],
)
def test_bad_calls_are_refused(arguments, words):
    """They exit with 2 before any simulation, and say what to change."""
    answer = plan(*arguments)
    assert answer.exit_code == 2
    assert words in answer.stderr
