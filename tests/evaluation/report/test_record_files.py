"""Records are found in depth; what cannot be read is named, and fatal only if nothing is left."""

import json

import pytest

from evaluation.report.record_files import MARK, read
from tests.evaluation.report import made


def write(path, record):
    """Put a record where a bench would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))


def test_good_and_bad_side_by_side(tmp_path):
    """Good records are read, each bad file is named with its reason."""
    write(tmp_path / "a" / "good.json", made.solver())
    (tmp_path / "a" / "broken.json").write_text("{")
    write(tmp_path / "b" / "other.json", made.solver() | {"schema": 99})
    write(tmp_path / "b" / "wrong.json", made.solver() | {"status": "fine"})
    result, problems = read([tmp_path])
    assert [one["solver"] for one in result] == ["greedy"]
    assert len(problems) == 3
    for name in ("broken.json", "other.json", "wrong.json"):
        assert any(name in problem for problem in problems)


def test_files_may_be_named_and_count_once(tmp_path):
    """A file inside a folder that is named as well is read once."""
    write(tmp_path / "one.json", made.solver())
    result, problems = read([tmp_path / "one.json", tmp_path])
    assert len(result) == 1
    assert problems == []


def test_a_report_among_records_is_no_record(tmp_path):
    """The file that marks a report is no record."""
    write(tmp_path / "one.json", made.solver())
    write(tmp_path / "site" / MARK, {"podlab-report": 1})
    assert read([tmp_path])[1] == []


def test_nothing_left_is_an_error(tmp_path):
    """No records, a missing folder, and only bad records: each says what to do."""
    with pytest.raises(ValueError, match=r"no records in .*podlab bench"):
        read([tmp_path])
    with pytest.raises(ValueError, match="missing: no such file or folder"):
        read([tmp_path / "missing"])
    (tmp_path / "broken.json").write_text("[]")
    with pytest.raises(ValueError, match=r"1 could not be read, the first: .*broken.json"):
        read([tmp_path])
