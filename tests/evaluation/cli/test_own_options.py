"""`podlab bench --trace`, as a user types it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app
from tests.evaluation.kinds.own.recordings import FIRST, SECOND, counts


def podlab(*words):
    """Run `podlab bench`; return the result."""
    return CliRunner().invoke(app, ["bench", *map(str, words)])


@pytest.fixture
def recorded(tmp_path):
    """Counts of two conditions in SGLang's form, with a dense layer in front."""
    paths = []
    for name, share in (("decode_in100out50", FIRST), ("decode_in100out900", SECOND)):
        layers = np.zeros((3, 256), int)
        layers[1:] = counts(share, 1, 10**6)[0]
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps({"logical_count": layers.tolist()}))
    return paths


def test_files_of_another_tool_are_judged_at_once(recorded, tmp_path):
    """How each is used, the table, and the verdict on both sides."""
    call = ["--out", tmp_path / "out", "--model", "deepseek-r1", "--seed", 0]
    call += ["--trace", recorded[0], "--trace", recorded[1], "--tokens-per-rank", 16]
    call += ["--solver", "contiguous", "--solver", "eplb"]
    result = podlab(*call)
    assert result.exit_code == 0, result.output
    assert "decode_in100out50: decode, the tokens of each step are drawn" in result.stderr
    assert "decode_in100out50 to decode_in100out900: 0." in result.stderr
    text = result.stdout[result.stdout.index("On these recordings") :]
    assert text.startswith("On these recordings (deepseek-r1, 32 ranks of 9 slots):")
    assert "In a steady state of decode use eplb: a decode step of 58 MoE layers takes" in text
    assert "When one condition gives way to another use eplb" in text
    assert "How sure: " in text
    # the records are there: the same words as JSON
    result = podlab(*call, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [row["name"] for row in found["rows"]] == ["eplb", "contiguous"]
    assert all(line in text for line in found["verdict"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trace", "{0}"], "does not say top_k; give --model or --top-k"),
        (["--trace", "{0}", "--top-k", "8"], "recorded on 'unknown', which is no preset"),
        (
            ["--trace", "{0}", "--model", "deepseek-r1", "--slots", "300"],
            "--slots 300 do not divide",
        ),
        (["--trace", "{0}", "--trace", "{0}", "--model", "deepseek-r1"], "are both named"),
        (["--trace", "nope.parquet"], "there is no such trace file"),
        (["--trace", "azure-2023-conv"], "a routing trace is needed"),
        (["--trace", "{0}", "--model", "olmoe-1b-7b"], "not experts = 64"),
        (["--trace", "{0}", "--suite", "steady"], "give either --suite steady or --trace"),
        (["--ranks", "4"], "--ranks is for --trace"),
        (["--all-conditions"], "--all-conditions is for --trace"),
        (["--suite", "own"], "give --trace FILE"),
        (
            ["--trace", "{0}", "--model", "deepseek-r1", "--tokens-per-rank", "99999"],
            "requests > 5,000,000",
        ),
        (["--trace", "{0}", "--model", "deepseek-r1", "--dispatcher", "nosuch"], "'nosuch'"),
        (
            ["--trace", "{0}", "--trace", "dsv2lite-intent", "--model", "deepseek-r1"],
            "differs from",
        ),
    ],
)
def test_wrong_calls(recorded, tmp_path, words, message):
    """One line that says what to give."""
    words = [word.format(*recorded) for word in words]
    result = podlab("--out", tmp_path / "out", *words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert message in result.stderr.splitlines()[-1]
