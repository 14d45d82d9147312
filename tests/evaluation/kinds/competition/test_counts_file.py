"""Traces of the competition from files."""

import numpy as np
import pytest

from evaluation.kinds.competition.counts_file import recorded_counts


@pytest.fixture
def saved(tmp_path):
    """Save an array as a trace and return where."""

    def save(array, name="trace.npy"):
        path = tmp_path / name
        np.save(path, array)
        return path

    return save


COUNTS = np.arange(24, dtype=np.int32).reshape(4, 2, 3)


def test_int32_stays_in_the_file(saved):
    """It is mapped into memory, and read-only."""
    counts = recorded_counts(saved(COUNTS))
    assert isinstance(counts, np.memmap)
    assert not counts.flags.writeable
    np.testing.assert_array_equal(counts, COUNTS)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "u8", ">i4", "f4", "f8"])
def test_other_numbers_that_are_whole_become_int32(saved, dtype):
    """Signed or not, of either byte order, or floats."""
    counts = recorded_counts(saved(COUNTS.astype(dtype)))
    assert counts.dtype == np.int32
    assert not counts.flags.writeable
    np.testing.assert_array_equal(counts, COUNTS)


def test_column_order_is_read_too(saved):
    """A Fortran-ordered file is the same trace."""
    np.testing.assert_array_equal(recorded_counts(saved(np.asfortranarray(COUNTS))), COUNTS)


def test_iterations_cut_the_file(saved):
    """The first ones are left; what comes after them is not looked at."""
    path = saved(np.concatenate([COUNTS, -COUNTS - 1]))
    np.testing.assert_array_equal(recorded_counts(path, 4), COUNTS)
    with pytest.raises(ValueError, match="iteration 4, layer 0, expert 0: count -1 < 0"):
        recorded_counts(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (COUNTS[0], r"has shape \(2, 3\) of 2 axes, and 3 are needed; give \[iterations, layers"),
        (COUNTS[0, 0, 0], r"has shape \(\) of 0 axes"),
        (COUNTS[:, :0], r"has shape \(4, 0, 3\); no axis of"),
        (COUNTS[:0], r"has shape \(0, 2, 3\); no axis of"),
        (COUNTS > 2, "has dtype bool; give integers"),
        (COUNTS.astype("c8"), "has dtype complex64"),
        (COUNTS.astype("U2"), "has dtype <U2"),
        (COUNTS - 5, "iteration 0, layer 0, expert 0: count -5 < 0; give whole numbers from 0"),
        (COUNTS + 0.5, "count 0.5 is not whole"),
        (np.where(COUNTS == 10, np.nan, COUNTS), "iteration 1, layer 1, expert 1: count nan is no"),
        (np.where(COUNTS == 10, np.inf, COUNTS), "count inf > 2147483647"),
        (COUNTS.astype("i8") + 2**31, "count 2147483648 > 2147483647"),
        (COUNTS.astype("u8") + np.uint64(2**63), "count 9223372036854775808 > 2147483647"),
    ],
)
def test_what_is_no_trace_is_refused(saved, array, message):
    """The message begins with the file."""
    path = saved(array)
    with pytest.raises(ValueError, match=message) as refused:
        recorded_counts(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_python_objects_are_not_loaded(tmp_path):
    """A pickle could run anything."""
    np.save(tmp_path / "a.npy", np.array([[[{}]]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a\.npy: .*Python objects.* write numbers by numpy"):
        recorded_counts(tmp_path / "a.npy")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and so on"])
def test_what_is_no_npy_is_refused(tmp_path, content):
    """Empty, text, or an archive."""
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npy: begins with b'.*write it by numpy\.save"):
        recorded_counts(tmp_path / "a.npy")


@pytest.mark.parametrize("kept", [8, 30, 140])
def test_a_file_cut_off_is_refused(saved, kept):
    """In the header or in the numbers."""
    path = saved(COUNTS)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"trace\.npy: .*; write numbers by numpy\.save"):
        recorded_counts(path)


def test_missing_files_and_folders_are_named(tmp_path):
    """With the system's own words."""
    with pytest.raises(OSError, match=r"none\.npy: No such file"):
        recorded_counts(tmp_path / "none.npy")
    with pytest.raises(OSError, match="directory"):
        recorded_counts(tmp_path)


@pytest.mark.parametrize(
    ("asked", "message"),
    [(0, "iterations = 0 < 1"), (5, "iterations = 5 > 4 that it has; give at most 4")],
)
def test_iterations_out_of_range_are_refused(saved, asked, message):
    """At least one, at most all."""
    with pytest.raises(ValueError, match=message):
        recorded_counts(saved(COUNTS), asked)
