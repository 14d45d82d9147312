"""Plain matrices: arrays and tables of counts."""

import zipfile

import numpy as np
import pytest

from traces import RoutingTrace
from traces.exchange import export_trace, import_trace, read_foreign
from traces.formats import chunks, matrix_rows, recognised
from traces.formats.about import About

ABOUT = About(model="m", top_k=2)
COUNTS = np.random.default_rng(0).integers(0, 100, (5, 2, 3))


def read(path):
    """Return all counts of a file."""
    return np.concatenate([trace.counts for trace in read_foreign(path, "matrix", ABOUT)])


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_round_trip(tmp_path, suffix, monkeypatch):
    """Written and read back, in chunks of some steps, from the store too."""
    trace = RoutingTrace(COUNTS, "m", 2)
    path = tmp_path / f"a.{suffix}"
    export_trace(trace, path, "matrix")
    assert recognised(path) == "matrix"
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2 * 2 * 3 * 4)
    monkeypatch.setattr(matrix_rows, "BLOCK_BYTES", 64)
    assert len(list(read_foreign(path, about=ABOUT))) > 1
    stored = import_trace(path, tmp_path / "a.parquet", about=ABOUT)
    assert stored.content_hash == trace.content_hash
    export_trace(stored, tmp_path / f"b.{suffix}", "matrix")
    np.testing.assert_array_equal(read(tmp_path / f"b.{suffix}"), COUNTS)


def test_one_step_as_an_array(tmp_path):
    """An .npy of two axes is read and written; more steps are another format's."""
    export_trace(RoutingTrace(COUNTS[:1], "m", 2), tmp_path / "a.npy", "matrix")
    assert np.load(tmp_path / "a.npy").shape == (2, 3)
    assert recognised(tmp_path / "a.npy") == "matrix"
    np.testing.assert_array_equal(read(tmp_path / "a.npy"), COUNTS[:1])
    with pytest.raises(ValueError, match="is the format 'competition'"):
        export_trace(RoutingTrace(COUNTS, "m", 2), tmp_path / "b.npy", "matrix")
    with pytest.raises(ValueError, match=r"ends in \.npy, \.npz or \.csv, not in '\.txt'"):
        export_trace(RoutingTrace(COUNTS, "m", 2), tmp_path / "b.txt", "matrix")


def test_layers_as_lines(tmp_path):
    """A CSV of numbers is one step; spaces and empty lines do no harm."""
    (tmp_path / "a.csv").write_text("1, 2,3\n\n4,5.0,6\n")
    assert recognised(tmp_path / "a.csv") == "matrix"
    np.testing.assert_array_equal(read(tmp_path / "a.csv"), [[[1, 2, 3], [4, 5, 6]]])


def test_the_array_of_the_counts_is_named(tmp_path):
    """By its name, or by being alone."""
    np.savez(tmp_path / "a.npz", COUNTS[0])
    np.testing.assert_array_equal(read(tmp_path / "a.npz"), COUNTS[:1])
    np.savez(tmp_path / "a.npz", counts=COUNTS, other=COUNTS[0])
    np.testing.assert_array_equal(read(tmp_path / "a.npz"), COUNTS)
    np.savez(tmp_path / "a.npz", one=COUNTS, other=COUNTS[0])
    with pytest.raises(ValueError, match="holds the arrays one, other; name the one of the counts"):
        read(tmp_path / "a.npz")


def test_rows_start_anywhere_and_leave_zeros_out(tmp_path):
    """Columns are found by name, steps count from the first, what is not there is 0."""
    rows = '"expert","step",x,layer,count\n2,7,a,0,5\n0,7,b,1,3\n1,8,c,0,4\n'
    (tmp_path / "a.csv").write_text(rows)
    found = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(found, [[[0, 0, 5], [3, 0, 0]], [[0, 4, 0], [0, 0, 0]]])
    wider = About(top_k=1, experts=4)
    assert next(read_foreign(tmp_path / "a.csv", "matrix", wider)).num_experts == 4


HEAD = "step,layer,expert,count\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("1,2\n3\n", "line 2 has 1 counts, the first has 2"),
        ("1,x\n", "line 1: could not convert"),
        ("1,-2\n", "counts at step 0, layer 0, expert 1 is -2"),
        ("1,nan\n", "expert 1 is nan"),
        ("1,2.5\n", r"expert 1 is 2\.5"),
        (HEAD, "has a header and no rows"),
        (HEAD + "0,0,0,1\n0,0,1,x\n", "line 3: count is 'x'; give whole numbers"),
        (HEAD + "0,0,0,1\n0,0,1,\n", "line 3: count is ''"),
        (HEAD + "0,0,0,1\n0,0,1\n", "line 3 has 3 cells under 4 names"),
        (HEAD + "0,0,0,1\n0,0,1,2.5\n", "line 3: count is '2.5'"),
        (HEAD + "0,0,0,1\n0,0,1,-2\n", "line 3: count -2 is outside 0 <= count"),
        (HEAD + "0,0,0,1\n0,0,6,2\n", "line 3: expert 6 is outside 0 <= expert < 6"),
        (HEAD + "0,0,0,1\n2,0,0,2\n", "line 3: step 2 follows step 0"),
        (HEAD + "1,0,0,1\n0,0,0,2\n", "line 3: step 0 follows step 1"),
        (HEAD + "4,0,0,1\n4,0,1,1\n4,0,1,2\n", "step 4, layer 0, expert 1 has 2 rows"),
        (HEAD + "0,60000,5,1\n", "one step has 60001 layers"),
    ],
)
def test_wrong_tables(tmp_path, text, said):
    """The line is named."""
    (tmp_path / "a.csv").write_text(text)
    about = About(top_k=2, experts=6) if text.startswith(HEAD) else ABOUT
    if "60000" in text:
        about = About(top_k=2, experts=600)
    with pytest.raises(ValueError, match=rf"a\.csv \(matrix\): .*{said}"):
        list(read_foreign(tmp_path / "a.csv", "matrix", about))


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("a.npy", COUNTS[0, 0], "has other axes than"),
        ("a.npz", COUNTS[None], r"has shape \(1, 5, 2, 3\)"),
        ("a.npz", COUNTS.astype(object), "holds pickled objects"),
        ("a.npz", COUNTS - 200, "counts at step 0, layer 0, expert 0 is -"),
    ],
)
def test_wrong_arrays(tmp_path, name, array, said):
    """Axes, objects and negative counts."""
    save = np.save if name.endswith("npy") else np.savez
    save(tmp_path / name, array)
    with pytest.raises(ValueError, match=said):
        read(tmp_path / name)


def test_broken_archives(tmp_path):
    """Cut, encrypted or of another kind: a sentence, whatever zipfile would have said."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, counts=COUNTS)
    content = path.read_bytes()
    path.write_bytes(content[:100])
    with pytest.raises(ValueError, match=r"is no whole \.npz"):
        read(path)
    locked = bytearray(content)
    locked[6] |= 1
    locked[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(ValueError, match=r"is no whole \.npz \(.*encrypted"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("counts.npy", b"no array")
    with pytest.raises(ValueError, match=r"is no \.npy file"):
        read(path)


def test_other_sources(tmp_path):
    """A folder, or a file of another kind."""
    (tmp_path / "a.txt").write_text("1,2\n")
    with pytest.raises(ValueError, match=r"ends in '\.txt'"):
        read(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="is a folder"):
        read(tmp_path)


def test_declared_experts_are_compared(tmp_path):
    """An archive of three experts is not read as one of 999."""
    np.savez(tmp_path / "a.npz", counts=[[1, 2, 3]])
    with pytest.raises(ValueError, match="the file has 3 experts != 999 as declared"):
        list(read_foreign(tmp_path / "a.npz", "matrix", About(top_k=1, experts=999)))
