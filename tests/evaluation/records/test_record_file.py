"""Records are whole or absent, and say what made them."""

import pytest

import lb
from evaluation.records import record_file


def test_round_trip(tmp_path):
    """What is written is read, and nothing else is left in the folder."""
    path = tmp_path / "a" / "record.json"
    record_file.write({"schema": 2, "solver": "x"}, path)
    assert record_file.read(path) == {"schema": 2, "solver": "x"}
    assert [found.name for found in path.parent.iterdir()] == ["record.json"]
    assert list(record_file.read_all(tmp_path)) == [{"schema": 2, "solver": "x"}]


def test_failing_write_leaves_nothing(tmp_path):
    """A record that cannot be written as JSON leaves no file behind."""
    with pytest.raises(TypeError):
        record_file.write({"schema": 2, "bad": object()}, tmp_path / "record.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a readable record"),
        ('{"schema": 1}', "schema 1; this podlab reads 2"),
        ('{"schema": 99}', "schema 99"),
        ("[]", "schema 'list'"),
    ],
)
def test_foreign_files_are_named(tmp_path, text, message):
    """A damaged file, or one of another schema, is named with what to do."""
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"record.json: .*{message}.*delete it"):
        record_file.read(path)


def test_provenance_names_version_and_source():
    """A record can be traced to the code that wrote it."""
    found = record_file.provenance()
    assert len(found["source_hash"]) == 64
    assert found["host"]["numpy"]


def test_own_files_are_hashed_by_content(tmp_path):
    """A user's file has the hash of its bytes, a bundled name or a folder none."""
    path = tmp_path / "mine.toml"
    path.write_text("a = 1")
    before = record_file.own_file(str(path))
    path.write_text("a = 2")
    assert None not in (before, record_file.own_file(str(path)))
    assert record_file.own_file(str(path)) != before
    assert record_file.own_file("deepseek-v3") is None
    assert record_file.own_file(str(tmp_path)) is None


def test_an_answer_that_cannot_be_loaded_is_told_from_a_failure():
    """By a map that lacks an expert, and by a solver that raises."""
    with pytest.raises(lb.Infeasible) as caught:
        lb.Placement([[0, 0, 2]], 1)
    assert record_file.failure(caught.value)["status"] == "infeasible"
    assert record_file.failure(ValueError("no")) == {"status": "failed", "reason": "ValueError: no"}


def test_a_line_for_each_field(tmp_path):
    """Numbers stay in the line of their field, so that a record is small and can be compared."""
    record_file.write({"schema": 2, "windows": {"a": [1.5, 2.5]}}, tmp_path / "r.json")
    assert len((tmp_path / "r.json").read_text().splitlines()) == 4
