"""`podlab trace info`, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

import traces
from evaluation.cli.app import app

RUNNER = CliRunner()


def info(*words):
    """Run the command; return the result."""
    return RUNNER.invoke(app, ["trace", "info", *map(str, words)])


def test_a_recorded_one_against_a_generated_one(tmp_path):
    """The comparison is printed and drawn."""
    picture = tmp_path / "cmp.html"
    result = info("dsv2lite-intent", "--against", "ar1-drift", "--picture", picture)
    assert result.exit_code == 0, result.output
    assert "dsv2lite-intent: deepseek-v2-lite, prefill, 26 layers of 64 experts" in result.stdout
    assert "ar1-drift: deepseek-v3, unknown, 58 layers of 256 experts" in result.stdout
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("hottest "))
    mine, difference, other = map(float, row[1:4])
    assert mine - other == pytest.approx(difference, abs=0.002)
    assert mine > 2
    assert "chosen together more often than by chance" in result.stdout
    # two heat maps for each trace, and the curves of both
    assert picture.read_text().count('class="plot"') == 5
    assert [path.name for path in tmp_path.iterdir()] == ["cmp.html"]


def test_json_holds_every_layer():
    """Numbers in full, for programs."""
    result = info("olmoe-domains", "ar1-drift", "--json", "--window-steps", 2)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [one["name"] for one in found] == ["olmoe-domains", "ar1-drift"]
    assert [one["windows"] for one in found] == [3, 12]
    assert len(found[1]["by_layer"]) == 58
    # the trace is an AR(1) of rho 0.95; windows of two steps smooth it
    assert found[1]["overall"]["persistence_1"] == pytest.approx(0.93, abs=0.02)


def test_step_tokens_go_to_those_that_need_them():
    """Counts have their own steps, tokens are cut into steps."""
    result = info("dsv2lite-intent", "olmoe-domains", "--json", "--step-tokens", 1000)
    assert result.exit_code == 0, result.output
    assert [one["steps"] for one in json.loads(result.stdout)] == [8, 6]


def test_by_layer():
    """A table for each trace."""
    result = info("olmoe-domains", "--by-layer")
    assert result.exit_code == 0, result.output
    assert "top fifth" in result.stdout


def test_files_are_called_by_their_stems(tmp_path):
    """Unless that mixes two up."""
    trace = traces.load("olmoe-domains")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        traces.save(trace, tmp_path / folder / "t.parquet")
    assert info(tmp_path / "a" / "t.parquet").stdout.startswith("t: olmoe")
    both = info(tmp_path / "a" / "t.parquet", tmp_path / "b" / "t.parquet")
    assert both.stdout.startswith(f"{tmp_path}/a/t.parquet: olmoe")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["olmoe-domain"], "did you mean 'olmoe-domains'?"),
        (["no.parquet"], "there is no such trace file"),
        (["olmoe-domains", "--picture", "p.pdf"], "ends in .html or .svg or .png"),
        (["olmoe-domains", "--window-steps", 7], "olmoe-domains: window_steps = 7 is outside"),
        (["olmoe-domains", "--against", "olmoe-domains"], "is named twice"),
        (["dsv2lite-intent", "--step-tokens", 99999], "step_tokens = 99999 breaks"),
        ([__file__], "bring it in with podlab trace import"),
    ],
)
def test_one_line_says_what_is_wrong(words, text, tmp_path, monkeypatch):
    """And nothing is written."""
    monkeypatch.chdir(tmp_path)
    result = info(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert text in line
    assert list(tmp_path.iterdir()) == []


def test_requests_are_said():
    """A single one is described; what info cannot do with it is refused."""
    result = info("mooncake-conv")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    assert line.startswith("mooncake-conv: RequestTrace(12031 requests in ")
    assert line.endswith("holds no routing, and info measures only that")
    for words in (["--json"], ["--against", "ar1-drift"], ["--picture", "p.html"]):
        answer = info("mooncake-conv", *words)
        assert answer.exit_code == 2
        assert "holds no routing" in answer.stderr
