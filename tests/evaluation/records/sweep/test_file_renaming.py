"""Files are renamed in tasks and records, and nothing else changes."""

from pathlib import Path

from evaluation.candidates.candidate import Candidate
from evaluation.records.sweep.file_renaming import with_names, with_texts
from evaluation.replay.scenario import Scenario

NAMES = {"/home/own.py": "/tmp/1/own.py", "../own.parquet": "/tmp/2/own.parquet"}


def test_files_are_renamed_in_nested_values():
    """Names in fields, tuples and tables are replaced, with or without an attribute."""
    scenario = Scenario("../own.parquet.x", ("../own.parquet", "even"), "olmoe-1b-7b", 16, 5, 1)
    changed = with_names((scenario, Candidate("/home/own.py:mine", 3)), NAMES)
    assert changed[0].trace == ("/tmp/2/own.parquet", "even")
    assert changed[0].id == "../own.parquet.x"
    assert changed[1] == Candidate("/tmp/1/own.py:mine", 3)
    assert with_names({"a": [Path("/home/own.py"), 1, None]}, NAMES) == {
        "a": [Path("/tmp/1/own.py"), 1, None]
    }


def test_nothing_else_changes():
    """A task without such files stays equal."""
    scenario = Scenario("x", ("even",), "olmoe-1b-7b", 16, 5, 1)
    assert with_names(scenario, NAMES) == scenario


def test_a_record_has_the_caller_s_names():
    """Names are replaced within sentences, too."""
    back = {here: name for name, here in NAMES.items()}
    record = {"scenario": {"trace": ("/tmp/2/own.parquet",)}, "reason": "/tmp/1/own.py: no", "n": 1}
    assert with_texts(record, back) == {
        "scenario": {"trace": ("../own.parquet",)},
        "reason": "/home/own.py: no",
        "n": 1,
    }
