"""`podlab trace import`, as a user types it."""

import json

import traces
from tests.evaluation.cli.trace.calls import COUNTS, assert_usage_error, podlab


def test_import(folder):
    """The file's format is found, what the user says goes with it, and what it is, is printed."""
    out = folder / "new.parquet"
    about = ["--model", "toy", "--top-k", "2", "--phase", "decode", "--format", "competition"]
    result = podlab("import", folder / "counts.npy", out, *about)
    assert result.exit_code == 0, result.output
    assert f"{folder / 'counts.npy'}: competition" in result.stdout
    assert f"{out}: toy: 12 steps, 3 layers, 8 experts, top-2, decode" in result.stdout
    assert (traces.load(out).counts == COUNTS).all()


def test_import_of_what_is_no_trace(folder):
    """One line names the file and the remedy, and nothing is left behind."""
    (folder / "odd.npy").write_bytes(b"not numpy")
    before = sorted(folder.iterdir())
    out = folder / "new.parquet"
    assert_usage_error(podlab("import", folder / "odd.npy", out), "odd.npy")
    assert_usage_error(podlab("import", folder / "no.npy", out), "there is no such file")
    needs = podlab("import", folder / "counts.npy", out, "--format", "competition")
    assert_usage_error(needs, "give it (--top-k)")
    assert_usage_error(
        podlab("import", folder / "counts.npy", out, "--format", "competitoin"), "did you mean"
    )
    assert sorted(folder.iterdir()) == before


def _counts_json(folder, name, counts):
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"logical_count": counts.tolist()}))
    return path


def test_import_of_several_files(folder):
    """Each is a condition with its file's name, one step of the trace."""
    out = folder / "new.parquet"
    files = [_counts_json(folder, name, COUNTS[n]) for n, name in enumerate(("decode", "prefill"))]
    result = podlab("import", *files, out, "--model", "toy", "--top-k", "2")
    assert result.exit_code == 0, result.output
    assert f"{files[1]}: step 1, prefill" in result.stdout
    assert f"{out}: toy: 2 steps, 3 layers, 8 experts, top-2, unknown" in result.stdout
    trace = traces.load(out)
    assert (trace.counts == COUNTS[:2]).all()
    assert traces.condition_names(trace) == ("decode", "prefill")


def test_import_of_several_shapes(folder):
    """Both files are named and nothing is written."""
    out = folder / "new.parquet"
    files = [
        _counts_json(folder, "a", COUNTS[0]),
        _counts_json(folder, "b", COUNTS[0, :2]),
    ]
    result = podlab("import", *files, out, "--top-k", "2")
    assert_usage_error(result, f"{files[1]}: layers = 2 differs from 3 of {files[0]}")
    assert not out.exists()
