"""Records are written whole or not at all, with their provenance."""

import pytest

import lb
from evaluation.records import record_file


def test_round_trip(tmp_path):
    """A record is read as it was written, and no other file is left."""
    path = tmp_path / "a" / "record.json"
    record_file.write({"schema": 2, "solver": "x"}, path)
    assert record_file.read(path) == {"schema": 2, "solver": "x"}
    assert [file.name for file in path.parent.iterdir()] == ["record.json"]
    assert list(record_file.read_all(tmp_path)) == [{"schema": 2, "solver": "x"}]


def test_failing_write_leaves_nothing(tmp_path):
    """A record that is no JSON leaves no file."""
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
    """The error names a damaged file, or one of another schema, and the fix."""
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"record.json: .*{message}.*delete it"):
        record_file.read(path)


def test_provenance_names_version_and_source():
    """The provenance has the hash of the code and the versions of the host."""
    provenance = record_file.provenance()
    assert len(provenance["source_hash"]) == 64  # hexadecimal digits of a SHA-256
    assert provenance["host"]["numpy"]


def test_user_files_are_hashed_by_content(tmp_path):
    """A user's file has the hash of its bytes; a bundled name or a folder has none."""
    path = tmp_path / "mine.toml"
    path.write_text("a = 1")
    before = record_file.user_file_hash(str(path))
    path.write_text("a = 2")
    assert None not in (before, record_file.user_file_hash(str(path)))
    assert record_file.user_file_hash(str(path)) != before
    assert record_file.user_file_hash("deepseek-v3") is None
    assert record_file.user_file_hash(str(tmp_path)) is None


def test_infeasible_answers_and_failures_differ():
    """A placement without expert 1 is infeasible; an exception of a solver is a failure."""
    with pytest.raises(lb.Infeasible) as caught:
        lb.Placement([[0, 0, 2]], 1)
    assert record_file.failure(caught.value)["status"] == "infeasible"
    assert record_file.failure(ValueError("no")) == {"status": "failed", "reason": "ValueError: no"}


def test_a_line_for_each_field(tmp_path):
    """A record has one line per field, and two for the braces."""
    record_file.write({"schema": 2, "windows": {"a": [1.5, 2.5]}}, tmp_path / "r.json")
    assert len((tmp_path / "r.json").read_text().splitlines()) == 4
