"""A new record replaces older records of the same cell, and no others."""

import pytest

from evaluation.records import record_file
from evaluation.records.stale_records import remove_stale

RECORD = {
    "schema": 2,
    "kind": "solver",
    "suite": "toy",
    "scenario": {"id": "one"},
    "solver": "greedy",
    "solver_file": None,
    "dispatcher": "even",
    "seed": 0,
    "trace_seed": None,
    "parameters": {"rounds": 2, "seed": 0},
    "source_hash": "old",
    "status": "ok",
}
NAME = "one--greedy--even--seed0"


def _kept(folder, new, old, old_name=NAME):
    """Write an old record and a new one, and return whether the old one is kept."""
    path = record_file.path_of(folder, "toy", old_name, {"of": "old"})
    record_file.write(old, path)
    replacement = record_file.path_of(folder, "toy", NAME, {"of": "new"})
    record_file.write(new, replacement)
    removed = remove_stale(new, replacement)
    assert record_file.read(replacement) == new
    assert removed == ([] if path.is_file() else [path])
    return path.is_file()


@pytest.mark.parametrize(
    "changes",
    [
        {"source_hash": "new"},
        {"source_hash": "new", "status": "failed"},
        {"trace_hash": "recorded again"},
        {"parameters": {"rounds": 2}},
    ],
)
def test_a_stale_record_is_replaced(tmp_path, changes):
    """Code, outcome, inputs, and a seed among the parameters do not distinguish cells."""
    assert not _kept(tmp_path, RECORD | changes, RECORD)


@pytest.mark.parametrize(
    "changes",
    [
        {"solver_file": "ab" * 32},
        {"seed": 1},
        {"trace_seed": 1},
        {"dispatcher": "optimal"},
        {"scenario": {"id": "two"}},
        {"parameters": {"rounds": 3}},
        {"anytime": {"parameter": "rounds", "value": 2}},
        {"stage": "decode"},
    ],
)
def test_a_record_of_another_cell_is_kept(tmp_path, changes):
    """The content of a record decides, even if the names of the files are equal."""
    assert _kept(tmp_path, RECORD | {"source_hash": "new"}, RECORD | changes)


def test_a_record_of_another_name_is_kept(tmp_path):
    """Records whose names differ before the hash belong to different cells."""
    assert _kept(tmp_path, RECORD, RECORD, "one--greedy--even--seed1")


def test_a_failure_without_parameters_is_replaced(tmp_path):
    """A run that failed before its solver existed is replaced, but replaces no other record."""
    failed = {key: value for key, value in RECORD.items() if key != "parameters"}
    assert not _kept(tmp_path / "a", RECORD, failed)
    assert _kept(tmp_path / "b", failed, RECORD)


def test_a_file_that_is_no_record_is_kept(tmp_path):
    """A file that is no record is never removed."""
    (tmp_path / "toy").mkdir()
    other = tmp_path / "toy" / f"{NAME}--0.json"
    other.write_text("{}")
    path = record_file.path_of(tmp_path, "toy", NAME, {})
    record_file.write(RECORD, path)
    assert remove_stale(RECORD, path) == []
    assert other.is_file()
