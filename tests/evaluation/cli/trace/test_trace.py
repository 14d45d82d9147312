"""`podlab trace` import, export, cut, cat and formats, as a user types them."""

import numpy as np
import pytest
from typer.testing import CliRunner

import traces
from evaluation.cli.app import app
from traces import formats

RUNNER = CliRunner()
COUNTS = np.random.default_rng(0).integers(0, 50, (12, 3, 8))


def podlab(*words):
    """Run `podlab trace`; return the result."""
    return RUNNER.invoke(app, ["trace", *map(str, words)])


def refused(said, text):
    """Assert that it left with 2 and one line that holds ``text``."""
    assert said.exit_code == 2, said.output
    assert said.stdout == ""
    (line,) = said.stderr.splitlines()
    assert text in line


@pytest.fixture
def folder(tmp_path):
    """A folder with counts in a foreign file, and as a trace."""
    np.save(tmp_path / "counts.npy", COUNTS.astype(np.int32))
    traces.save(traces.RoutingTrace(COUNTS, "toy", 2, "decode"), tmp_path / "t.parquet")
    return tmp_path


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
    """One line names the file and the mend, and nothing is left behind."""
    (folder / "odd.npy").write_bytes(b"not numpy")
    before = sorted(folder.iterdir())
    out = folder / "new.parquet"
    refused(podlab("import", folder / "odd.npy", out), "odd.npy")
    refused(podlab("import", folder / "no.npy", out), "there is no such file")
    needs = podlab("import", folder / "counts.npy", out, "--format", "competition")
    refused(needs, "give it (--top-k)")
    refused(podlab("import", folder / "counts.npy", out, "--format", "competitoin"), "did you mean")
    assert sorted(folder.iterdir()) == before


def test_export(folder):
    """And back: the file holds the counts."""
    out = folder / "back.npy"
    said = podlab("export", folder / "t.parquet", out, "--format", "competition")
    assert said.exit_code == 0, said.output
    assert (np.load(out) == COUNTS).all()


def test_export_of_tokens_in_no_steps(folder):
    """They are cut into some where that is asked for, and else the mend is said."""
    out = folder / "back.npy"
    asked = ["export", "dsv2lite-intent", out, "--format", "competition"]
    said = podlab(*asked, "--step-tokens", 512)
    assert said.exit_code == 0, said.output
    wanted = traces.load("dsv2lite-intent").split(512).counts().counts
    assert (np.load(out) == wanted).all()
    out.unlink()
    refused(podlab(*asked), "not in steps")
    counts = podlab("export", "olmoe-domains", out, "--format", "competition", "--step-tokens", 9)
    refused(counts, "--step-tokens 9 is for tokens that are in no steps")
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "steps", "layers"),
    [
        (["--steps", "3:7"], slice(3, 7), [0, 1, 2]),
        (["--steps", ":4", "--layers", "2,0"], slice(0, 4), [2, 0]),
        (["--steps", "10:"], slice(10, 12), [0, 1, 2]),
        (["--layers", "1-2"], slice(0, 12), [1, 2]),
    ],
)
def test_cut(folder, options, steps, layers):
    """Steps and layers, from the first up to before the last."""
    out = folder / "part.parquet"
    said = podlab("cut", folder / "t.parquet", out, *options)
    assert said.exit_code == 0, said.output
    assert (traces.load(out).counts == COUNTS[steps][:, layers]).all()


def test_cut_of_tokens(folder):
    """A bundled trace by its name."""
    out = folder / "part.parquet"
    said = podlab("cut", "dsv2lite-intent", out, "--tokens", "100:356")
    assert said.exit_code == 0, said.output
    assert "256 tokens" in said.stdout
    assert (traces.load(out).experts == traces.load("dsv2lite-intent").experts[100:356]).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "nothing to cut"),
        (["--steps", "3"], "--steps 3: give first:last"),
        (["--steps", "a:b"], "give first:last"),
        (["--steps", "3:13"], "break 0 <= first < last <= 12"),
        (["--layers", "3"], "layer 3 breaks"),
        (["--layers", "0-"], "give numbers and ranges"),
        (["--layers", "2-1"], "name at least one"),
        (["--tokens", "0:4"], "cut it by steps"),
    ],
)
def test_wrong_cuts(folder, options, text):
    """What is not there is refused, and nothing is left behind."""
    refused(podlab("cut", folder / "t.parquet", folder / "part.parquet", *options), text)
    assert not list(folder.glob("*part*"))


def test_cat(folder):
    """Domains one after another make a shift."""
    out = folder / "shift.parquet"
    names = ["dsv2lite-intent", "dsv2lite-summary"]
    said = podlab("cat", *names, out)
    assert said.exit_code == 0, said.output
    wanted = traces.concat([traces.load(name) for name in names])
    assert traces.load(out).content_hash == wanted.content_hash


def test_cat_of_different_models(folder):
    """They do not follow each other."""
    out = folder / "shift.parquet"
    refused(podlab("cat", "olmoe-domains", folder / "t.parquet", out), "the first has")
    assert not out.exists()


def test_what_is_read_is_not_written(folder):
    """OUT is none of the sources, by whatever path."""
    trace, again = folder / "t.parquet", folder / "x" / ".." / "t.parquet"
    (folder / "x").mkdir()
    before = trace.read_bytes()
    for words in (
        ["cut", trace, again, "--steps", "0:1"],
        ["cat", trace, again],
        ["export", trace, again, "--format", "competition"],
        ["import", trace, again],
    ):
        refused(podlab(*words), "is the trace that is read; give another name")
    assert trace.read_bytes() == before
    refused(podlab("cat", trace, folder / "no" / "t.parquet"), "there is no folder")


def test_formats():
    """Every registered format has its line, with what it is and whether it is written."""
    said = podlab("formats")
    assert said.exit_code == 0
    lines = {line.split()[0]: line for line in said.stdout.splitlines()}
    assert set(lines) == {*formats.ROUTING, *formats.REQUESTS}
    assert "routing   read, written  The balancing competition" in lines["competition"]


def test_requests_go_the_same_way(folder):
    """They are joined, taken out and brought in; they are not cut, nor joined with routing."""
    out, csv, back = folder / "r.parquet", folder / "r.csv", folder / "back.parquet"
    assert podlab("cat", "azure-2023-conv", "mooncake-conv", out).exit_code == 0
    assert traces.load(out).num_requests == 19366 + 12031
    assert podlab("export", "azure-2023-conv", csv, "--format", "azure").exit_code == 0
    said = podlab("import", csv, back)
    assert said.exit_code == 0, said.output
    assert f"{csv}: azure" in said.stdout
    assert traces.load(back).num_requests == 19366
    refused(podlab("cut", "mooncake-conv", out, "--steps", "0:1"), "only routing is cut")
    mixed = podlab("cat", "olmoe-domains", "mooncake-conv", out)
    refused(mixed, "mooncake-conv: holds no routing; only traces of one kind")
    about = podlab("import", csv, back, "--top-k", "2")
    refused(about, "azure holds requests")
