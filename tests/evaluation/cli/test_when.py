"""`podlab when`, as a user types it."""

import csv
import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()
SMALL = ["--ranks", "32", "--batch", "128", "--layers", "2", "--steps", "2", "--skew", "0,1.5"]


def test_heat_tables_and_break_even():
    """A table for each redundancy and bandwidth, and what a slot displaces."""
    result = RUNNER.invoke(app, ["when", *SMALL])
    assert result.exit_code == 0, result.output
    assert "One redundant slot a rank holds 2.55 GB" in result.stdout
    assert "36,349 tokens of KV cache" in result.stdout
    assert result.stdout.count("pays from") == 4
    assert "1 redundant slot a rank, links and library 0.5 times as fast" in result.stdout
    assert "8 cells" in result.stdout


def test_json_and_csv_hold_the_same_cells(tmp_path):
    """One row a cell; the break-even skew lies between a cell that costs and one that pays."""
    out = tmp_path / "map.csv"
    result = RUNNER.invoke(app, ["when", *SMALL, "--bandwidth", "1", "--json", "--csv", str(out)])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["change"]) for row in rows] == [cell["change"] for cell in report["cells"]]
    assert [path.name for path in tmp_path.iterdir()] == ["map.csv"]
    for point in report["break_even"]:
        low, high = (
            next(
                cell["change"]
                for cell in report["cells"]
                if (cell["skew"], cell["redundant"]) == (skew, point["redundant"])
            )
            for skew in (0, 1.5)
        )
        assert low > 0 > high
        assert 0 < point["skew"] < 1.5


def test_against_contiguous_is_another_map():
    """Rearranging is then part of the gain."""
    maps = [
        json.loads(RUNNER.invoke(app, ["when", *SMALL, "--json", "--against", base]).stdout)
        for base in ("rearranged", "contiguous")
    ]
    assert maps[0]["cells"] == maps[1]["cells"]
    assert maps[0]["break_even"] != maps[1]["break_even"]


def test_memory_bound_says_which_batch_is_left():
    """Cells without memory are named in words, and JSON stays valid."""
    call = ["when", *SMALL, "--kv-tokens", "8192", "--memory-bound"]
    call += ["--redundant", "4,12", "--bandwidth", "1"]
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 0, result.output
    assert "(24)" in result.stdout
    assert "no memory" in result.stdout
    assert "memory allows only the batch in parentheses" in result.stdout
    cells = json.loads(RUNNER.invoke(app, [*call, "--json"]).stdout)["cells"]
    assert [cell["change"] for cell in cells if cell["redundant"] == 12] == [None, None]


def test_popularity_of_a_workload(workload_files):
    """One row, at the skew that the workload has; its layers, and no law."""
    call = ["when", "--workload", workload_files[0], "--window-s", "10", "--at", "2"]
    call += ["--ranks", "32", "--batch", "8,128", "--redundant", "1", "--bandwidth", "1"]
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "in window 2 of 10 s, placements for window 1" in words
    assert "pays from" not in words
    report = json.loads(RUNNER.invoke(app, [*call, "--json"]).stdout)
    assert len(report["cells"]) == 2
    assert report["setting"]["layers"] == 2
    assert "law" not in report["setting"]
    assert report["break_even"] == []
    assert 0 < report["cells"][0]["skew"] < 2
    other = json.loads(RUNNER.invoke(app, [*call, "--json", "--seed", "1"]).stdout)
    assert other["cells"] != report["cells"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--workload", "moon"], "unknown workload 'moon'"),
        (["--workload", "{file}", "--skew", "1"], "--skew 1 is for a law; leave it out"),
        (["--workload", "{file}", "--layers", "4"], "--layers 4 is for a law; leave it out"),
        (["--at", "2"], "--at 2 is for a workload; give --workload, too"),
        (["--workload", "{file}", "--window-s", "0"], "window_s = 0.0 breaks 0 < window_s"),
        (["--workload", "{file}", "--at", "0"], "at = 0 < 1"),
        (["--workload", "{file}", "--window-s", "90"], "has 1 windows < 2"),
        (["--workload", "{file}", "--model", "kimi-k2", "--window-s", "9"], "experts = 256, the"),
    ],
)
def test_wrong_workloads_are_refused_in_one_line(workload_files, call, message):
    """As everything else that is wrong."""
    result = RUNNER.invoke(app, ["when", *(part.format(file=workload_files[0]) for part in call)])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--skew", "a"], "--skew a: 'a' is not a number"),
        (["--skew", "11"], "11.0 breaks 0 <= skew <= 10"),
        (["--skew", ""], "'' is not a number"),
        (["--batch", "8.5"], "'8.5' is not a whole number"),
        (["--batch", "0"], "0 breaks 1 <= batch"),
        (["--ranks", "48"], "does not divide the 256 experts"),
        (["--ranks", "1,1"], "1 is there twice"),
        (["--redundant", "0"], "0 breaks 1 <= redundant"),
        (["--bandwidth", "0"], "breaks 0.001 <= bandwidth"),
        (["--bandwidth", "nan"], "nan breaks"),
        (["--law", "pareto"], "law = 'pareto'"),
        (["--drift", "2"], "drift = 2.0 breaks 0 <= drift <= 1"),
        (["--solver", "gredy"], "did you mean"),
        (["--dispatcher", "evn"], "did you mean 'even'?"),
        (["--against", "moon"], "give one of rearranged, contiguous"),
        (["--device", "h101"], "did you mean"),
        (["--fabric", "gb200-nvl72", "--ranks", "128"], "num_ranks = 128 is outside"),
        (["--layers", "1"], "layers = 1 < 2"),
        (["--csv", "."], "--csv . is a folder"),
        (["--csv", "/no/such/folder/map.csv"], "there is no folder /no/such/folder"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    result = RUNNER.invoke(app, ["when", *SMALL, *call])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
