"""Files have the content of the logs, and are written whole or not at all."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.results import files


def read(path):
    """Return the rows of a CSV or Parquet file as dicts of text."""
    if path.suffix == ".csv":
        with path.open(newline="") as stream:
            return list(csv.DictReader(stream))
    rows = pq.read_table(path).to_pylist()
    return [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("group", [1, 3, 4, 100])
def test_requests_are_the_log_in_any_number_of_groups(log, tmp_path, monkeypatch, suffix, group):
    """Every request is one row, with empty cells for unknown times."""
    monkeypatch.setattr(files, "ROWS_PER_GROUP", group)
    path = tmp_path / f"requests{suffix}"
    files.write_requests(log, path)
    rows = read(path)
    assert [row["request"] for row in rows] == ["0", "1", "2", "3"]
    assert [float(row["ttft_s"] or "nan") for row in rows[:3]] == [0.5, 1.0, 0.5]
    assert [row["tpot_s"] for row in rows] == ["", "0.5", "", ""]
    for name, column in log.columns.items():
        assert name in rows[0]
        written = [float(row[name] or "nan") for row in rows]
        np.testing.assert_array_equal(written, column.astype(float))
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_is_written_in_row_groups(log, tmp_path, monkeypatch):
    """Four requests in groups of three are two groups; counts are integers."""
    monkeypatch.setattr(files, "ROWS_PER_GROUP", 3)
    path = tmp_path / "requests.parquet"
    files.write_requests(log, path)
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [
        3,
        1,
    ]
    assert str(file.schema_arrow.field("generated").type) == "int64"
    assert str(file.schema_arrow.field("finish_s").type) == "double"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_samples_name_their_task_executor(samples, tmp_path, suffix):
    """Every sample is one row."""
    path = tmp_path / f"samples{suffix}"
    files.write_samples(samples, path)
    rows = read(path)
    assert [row["executor"] for row in rows] == ["prefill 0"] * 2 + ["decode 0"] * 3
    assert [float(row["running"]) for row in rows] == [0, 0, 1, 2, 1]
    assert [float(row["busy_s"]) for row in rows] == [0, 1.5, 2, 2, 2]


def test_no_samples_are_a_file_without_rows(tmp_path):
    """A file without rows has the columns."""
    path = tmp_path / "samples.csv"
    files.write_samples(SampleLog(["only"]), path)
    assert read(path) == []
    assert path.read_text().startswith('"time_s","executor"')


def test_a_failed_write_leaves_no_file(log, tmp_path):
    """A wrong suffix leaves no file."""
    with pytest.raises(ValueError, match=r"'\.txt' is none of"):
        files.write_requests(log, tmp_path / "requests.txt")
    assert list(tmp_path.iterdir()) == []
