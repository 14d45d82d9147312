"""`podlab trace import`, as a user types it."""

import traces
from tests.evaluation.cli.trace.calls import COUNTS, assert_usage_error, podlab


def test_import(folder):
    """The file's format is found, what the user says goes with it, and what it is, is printed."""
    out = folder / "new.parquet"
    about = ["--model", "toy", "--top-k", "2", "--phase", "decode", "--format", "competition"]
    said = podlab("import", folder / "counts.npy", out, *about)
    assert said.exit_code == 0, said.output
    assert f"{folder / 'counts.npy'}: competition" in said.stdout
    assert f"{out}: toy: 12 steps, 3 layers, 8 experts, top-2, decode" in said.stdout
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
