"""podlab solve, as a user types it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import lb
import traces
from evaluation.cli.app import app
from evaluation.files.placements.formats import FORMATS

RUNNER = CliRunner()
LOAD = np.random.default_rng(0).integers(1, 100, (3, 8))
SLOTS = ["--ranks", "4", "--slots", "12"]


@pytest.fixture
def load(tmp_path):
    """Three layers of eight experts in a file."""
    np.save(tmp_path / "load.npy", LOAD)
    return tmp_path / "load.npy"


def _solve(load, out, *options):
    result = RUNNER.invoke(app, ["solve", str(load), "--out", str(out), *SLOTS, *options])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    return result.stderr


def _expected(windows=LOAD):
    return lb.solve(lb.Problem(windows, 4, 3), "auto").physical_to_logical


def test_every_format_holds_the_same_placement(load, tmp_path):
    """Each is read the way that its engine, or numpy, reads it."""
    slots = _expected()
    _solve(load, tmp_path / "a.npz", "--format", "deepseek")
    with np.load(tmp_path / "a.npz") as maps:
        np.testing.assert_array_equal(maps["phy2log"], slots)
        np.testing.assert_array_equal(maps["logcnt"], lb.Placement(slots, 4).replica_count)
        assert maps["log2phy"].shape[:2] == (3, 8)
    _solve(load, tmp_path / "a.npy", "--format", "npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), slots)
    for form in ("json", "vllm"):
        _solve(load, tmp_path / "a.json", "--format", form)
        read = json.loads((tmp_path / "a.json").read_text())
        np.testing.assert_array_equal(read["physical_to_logical_map"], slots)
        assert len(read["logical_replica_count"][0]) == 8
    _solve(load, tmp_path / "a.json", "--format", "vllm-ascend")
    read = json.loads((tmp_path / "a.json").read_text())
    assert read["layer_list"][2]["device_list"][3]["device_expert"] == slots[2, 9:].tolist()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npy", ".npy", ".npz"]


def test_formats_that_number_the_layers_of_the_model(load, tmp_path):
    """MoE layers 2, 3 and 4 of a model of six."""
    layers = ("--first-layer", "2")
    _solve(load, tmp_path / "a.json", "--format", "sglang", *layers, "--num-layers", "6")
    rows = json.loads((tmp_path / "a.json").read_text())["physical_to_logical_map"]
    assert len(rows) == 6
    np.testing.assert_array_equal(rows[2:5], _expected())
    _solve(load, tmp_path / "a.yaml", "--format", "tensorrt-llm", *layers)
    lines = (tmp_path / "a.yaml").read_text().splitlines()
    assert lines[0] == "num_slots: 12"
    assert lines[-1] == f"  4: {_expected()[2].tolist()}"


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".json"])
def test_loads_in_every_kind_of_file(tmp_path, suffix):
    """Whatever holds the matrix, the placement is the same."""
    path = tmp_path / f"load{suffix}"
    if suffix == ".npy":
        np.save(path, LOAD.astype(np.int32))
    elif suffix == ".npz":
        np.savez(path, load=LOAD, other=LOAD[0])
    elif suffix == ".csv":
        np.savetxt(path, LOAD, delimiter=",")
    else:
        path.write_text(json.dumps({"logical_count": LOAD.tolist(), "rank": 0}))
    _solve(path, tmp_path / "out.npy", "--format", "npy")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), _expected())


def test_windows_of_a_trace(tmp_path):
    """Steps are added up into one window, or into as many as asked for."""
    counts = np.stack([LOAD, LOAD + 50, LOAD[::-1], 2 * LOAD])
    traces.save(traces.RoutingTrace(counts, "toy", top_k=2), tmp_path / "t.parquet")
    result = _solve(tmp_path / "t.parquet", tmp_path / "out.npy", "--format", "npy")
    assert "1 window" in result
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), _expected(counts.sum(axis=0)))
    result = _solve(tmp_path / "t.parquet", tmp_path / "o.json", "--window-steps", "2")
    assert "2 windows" in result


def test_a_bundled_trace_of_tokens(tmp_path):
    """Tokens that are not in steps are one window, or steps of so many tokens."""
    call = ["solve", "dsv2lite-intent", "--ranks", "16", "--redundant", "16"]
    result = RUNNER.invoke(app, [*call, "--out", str(tmp_path / "a.json")])
    assert "1 window, 26 layers, 64 experts, 80 slots on 16 ranks" in result.stderr
    steps = ["--step-tokens", "1000", "--window-steps", "4", "--out", str(tmp_path / "a.json")]
    assert "2 windows" in RUNNER.invoke(app, [*call, *steps]).stderr


def test_solvers_and_their_parameters(load, tmp_path):
    """A number and a word reach the solver; so does a solver of one's own."""
    _solve(load, tmp_path / "a.npy", "--format", "npy", "--solver", "random", "--param", "seed=7")
    expected = lb.solve(lb.Problem(LOAD, 4, 3), "random", seed=7).physical_to_logical
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)
    _solve(load, tmp_path / "a.json", "--solver", "eplb", "--param", "policy=global")
    own = tmp_path / "own.py"
    own.write_text(
        "import lb\n\n\ndef mine(problem):\n    return lb.solve(problem, 'contiguous')\n"
    )
    _solve(load, tmp_path / "a.npy", "--format", "npy", "--solver", f"{own}:mine")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy")[0], np.arange(12) % 8)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_the_current_placement_in_each_of_its_files(load, tmp_path, form):
    """Solving twice moves nothing, whichever format says what is loaded."""
    current = tmp_path / f"current{FORMATS[form].endings[0]}"
    _solve(load, current, "--format", form)
    result = _solve(load, tmp_path / "next.npy", "--format", "npy", "--current", str(current))
    assert "moves         0 of 36 slots" in result
    np.testing.assert_array_equal(np.load(tmp_path / "next.npy"), _expected())


def test_rows_of_dense_layers_are_left_out_of_the_current_placement(load, tmp_path):
    """SGLang's file has six rows; --first-layer says that the three MoE layers start at row 2."""
    layers = ("--format", "sglang", "--first-layer", "2", "--num-layers", "6")
    _solve(load, tmp_path / "now.json", *layers)
    now = ("--current", str(tmp_path / "now.json"))
    assert "moves         0 of 36" in _solve(load, tmp_path / "a.json", *layers, *now)


def test_experts_that_stay_keep_their_slots(load, tmp_path):
    """The current order within ranks is kept where the ranks hold the same."""
    turned = _expected().reshape(3, 4, 3)[:, :, ::-1].reshape(3, 12)
    (tmp_path / "now.json").write_text(json.dumps(turned.tolist()))
    _solve(load, tmp_path / "a.npy", "--format", "npy", "--current", str(tmp_path / "now.json"))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), turned)


def test_the_summary_says_how_good_it_is(load, tmp_path):
    """Balancedness and its bound, replicas, duplicates, time."""
    result = _solve(load, tmp_path / "a.json", "--dispatcher", "optimal")
    assert "by auto (robust) in" in result
    assert "by eplb in" in _solve(load, tmp_path / "a.json", "--solver", "eplb")
    assert "balancedness  mean" in result
    assert "0 twice on a rank" in result
    assert f"{tmp_path / 'a.json'}: json" in result


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--slots", "13"], "13 slots over 4 ranks leaves 1 over"),
        (["--slots", "4"], "4 slots < 8 experts"),
        (["--redundant", "4"], "give either --slots or --redundant"),
        (["--ranks", "0"], "--ranks = 0 < 1"),
        (["--solver", "gredy"], "did you mean 'greedy'"),
        (["--solver", "none.py:a"], "there is no file none.py"),
        (["--param", "seed"], "--param seed: give name=value"),
        (["--param", "seed=1"], "has no parameter 'seed'"),
        (["--solver", "random", "--param", "seed=x"], "--param seed=x: SeedSequence expects int"),
        (["--dispatcher", "evn"], "unknown dispatcher 'evn'"),
        (["--format", "pt"], "--format 'pt' is not one of deepseek"),
        (["--format", "npy"], "give a name that ends in .npy"),
        (["--first-layer", "3"], "--first-layer applies to sglang and tensorrt-llm"),
        (["--format", "vllm", "--num-layers", "3"], "--num-layers applies to sglang"),
        (["--format", "sglang", "--num-layers", "2"], "layer 2 is outside num_layers = 2"),
        (["--max-moves", "3"], "give current as well"),
        (["--current", "none.npy"], "none.npy: there is no such placement file"),
        (["--current", "now.csv"], "now.csv: no placement format has this ending"),
        (["--groups", "3"], "expert_groups = 3"),
        (["--ranks-per-node", "3"], "ranks_per_node = 3"),
        (["--window-steps", "2"], "is a matrix; window_steps and step_tokens apply to traces only"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(load, tmp_path, options, message):
    """Exit code 2, the line names what is wrong, and no file is written."""
    out = tmp_path / "out.json"
    result = RUNNER.invoke(app, ["solve", str(load), "--out", str(out), *SLOTS, *options])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["load.npy"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"not numpy", "a.npy: "),
        ("a.npz", b"PK\x03\x04", "a.npz: "),
        ("a.json", b"[[1, 2", "a.json: "),
        ("a.json", b"[[1, 2], [3]]", "ragged"),
        ("a.json", b'{"tokens": [[1]]}', "has keys ['tokens']; it needs one of load"),
        ("a.json", b"[[1, NaN, 1, 1, 1, 1]]", "load at layer 0, expert 1 is nan"),
        ("a.json", b"3", "load has shape ()"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"1,2\n3\n", "a.csv: "),
        ("a.csv", b"1,2,3,4,5,-6\n", "expert 5 is -6.0"),
        ("a.parquet", b"nothing", "a.parquet"),
        ("a.txt", b"1", "a.txt"),
    ],
)
def test_files_that_hold_no_loads(tmp_path, name, content, message):
    """The file, or the number in it, is named in one line."""
    (tmp_path / name).write_bytes(content)
    out = tmp_path / "out.json"
    result = RUNNER.invoke(app, ["solve", str(tmp_path / name), "--out", str(out), *SLOTS])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([[0, 1]], "now.json: 2 slots over 4 ranks"),
        ([[0, 1, 2, 3]], "current: the placement does not answer the problem"),
        ({"slots": []}, "now.json: it holds no placement"),
        ({"layer_list": [{}], "moe_layer_count": 1}, "now.json: no expert map"),
        ("text", "now.json: it holds no placement"),
    ],
)
def test_files_that_hold_no_placement(load, tmp_path, content, message):
    """What is loaded must be a placement of this problem."""
    (tmp_path / "now.json").write_text(json.dumps(content))
    call = ["solve", str(load), "--out", str(tmp_path / "o.json"), *SLOTS]
    result = RUNNER.invoke(app, [*call, "--current", str(tmp_path / "now.json")])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_folder_that_is_not_there(load, tmp_path):
    """Said before anything is computed."""
    (tmp_path / "none.json").mkdir()
    for out, why in (("none/a.json", "there is no folder"), ("none.json", "is a folder")):
        out = tmp_path / out
        result = RUNNER.invoke(app, ["solve", str(load), "--out", str(out), *SLOTS])
        assert result.exit_code == 2
        assert why in result.stderr


def test_help_shows_what_stands_in_brackets():
    """Shapes and defaults in help texts are no markup."""
    shown = RUNNER.invoke(app, ["solve", "--help"], env={"COLUMNS": "200"}).output
    assert "Tokens [layers, experts] or [windows, layers, experts]" in shown
    shown = RUNNER.invoke(app, ["explain", "--help"], env={"COLUMNS": "200"}).output
    assert "[default: the scenario's traffic]" in shown
