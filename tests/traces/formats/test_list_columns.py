"""Columns of lists as arrays, and Parquet files whose errors are sentences."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traces.formats.list_columns import chosen, is_list, opened, plain, rows_at_once, schema_names

NESTED = [[[1, 2], [3, 4], [5, 6]], [[6, 5], [4, 3], [2, 1]]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.list_(pa.int64())),
        pa.large_list(pa.list_(pa.uint8(), 2)),
        pa.list_(pa.list_(pa.int16(), 2), 3),
    ],
)
def test_lists_are_arrays(kind):
    """Of any kind, a slice of a column too."""
    column = pa.array([*NESTED, *NESTED], kind)
    assert is_list(kind)
    np.testing.assert_array_equal(chosen(column, 2, "x", 0), NESTED + NESTED)
    np.testing.assert_array_equal(chosen(column.slice(1, 2), 2, "x", 0), [NESTED[1], NESTED[0]])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[[1, 2]], None], "x is empty in row 11"),
        ([[[1, 2]], [None]], "x is empty in row 11"),
        ([[[1, 2]], [[1, None]]], "x is empty in row 11"),
        ([[[1, 2]], [[1, 2], [3, 4]]], "x has lists of 1 in row 10 and of 2 in row 11"),
        ([[[1, 2]], [[1]]], "x has lists of 2 in row 10 and of 1 in row 11"),
        ([[[]], [[]]], "x has lists of 0 in row 10"),
        ([[1], [2]], "x is of int64; give lists of integers"),
        ([[[0.5]], [[1.0]]], "x is of double; give integers"),
    ],
)
def test_what_is_no_array_has_its_row(values, said):
    """Rows are counted from the one that is named first."""
    with pytest.raises(ValueError, match=said):
        chosen(pa.array(values), 2, "x", 10)


def test_plain_numbers():
    """An empty cell is none."""
    np.testing.assert_array_equal(plain(pa.array([3, 1]), "x", 0), [3, 1])
    with pytest.raises(ValueError, match="x is empty in row 6"):
        plain(pa.array([3, None]), "x", 5)


def test_a_batch_has_fewer_rows_where_rows_are_long(tmp_path):
    """By the ids of the columns that are read."""
    row = list(range(1000))
    pq.write_table(pa.table({"a": [row] * 10, "b": [[1]] * 10}), tmp_path / "a.parquet")
    with opened(tmp_path / "a.parquet") as file:
        assert rows_at_once(file, ["a"]) == 2**21 // 1000
        assert rows_at_once(file, ["b"]) == 2**17
    pq.write_table(pa.table({"a": [row]})[:0], tmp_path / "a.parquet")
    with opened(tmp_path / "a.parquet") as file:
        assert rows_at_once(file, ["a"]) == 1


def test_errors_of_pyarrow_are_sentences(tmp_path):
    """With the file's name, whenever they come."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"a\.parquet is no whole Parquet file"):
        schema_names(tmp_path / "a.parquet")
    table = pa.Table.from_arrays([pa.array([1])] * 2, ["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="has two columns 'a'"):
        schema_names(tmp_path / "a.parquet")
