"""What travels to another machine: files that tasks name, and podlab's code."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from evaluation.records import source_hash
from evaluation.records.sweep import payload


@dataclass
class Names:
    """A task as far as its fields go."""

    value: object


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with files of the user's."""
    monkeypatch.chdir(tmp_path)
    for name in ("own.py", "trace.parquet", "table.csv"):
        Path(name).touch()
    Path("own.toml").write_text('timings = "table.csv"\nother = ["none.csv", "own.toml"]\n')
    (tmp_path / "below").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("trace.parquet", ["trace.parquet"]),
        (Path("trace.parquet"), ["trace.parquet"]),
        ("own.py:mine", ["own.py"]),
        (("greedy", {"deep": [Names("own.py")]}), ["own.py"]),
        ("own.toml", ["own.toml", "table.csv"]),
        (["none.parquet", "below", "", "\0", "x" * 5000, 3, None], []),
    ],
)
def test_files_are_found_wherever_they_are_named(value, names):
    """In nested fields, before an attribute, and within TOML files; nothing else is."""
    assert payload.own_files([Names(value), Names(value)]) == names


def test_a_file_outside_keeps_its_name(folder, monkeypatch):
    """An absolute name is found as it is written."""
    monkeypatch.chdir(folder / "below")
    absolute = str(folder / "own.py")
    assert payload.own_files([Names(absolute), Names("../own.py")]) == ["../own.py", absolute]


def test_a_damaged_toml_file_travels_as_it_is():
    """Whoever reads it says what is wrong."""
    Path("own.toml").write_text("[")
    assert payload.own_files([Names("own.toml")]) == ["own.toml"]


def test_code_is_all_that_the_code_hash_covers():
    """Each Python and TOML file of podlab's, and samples, but nothing compiled."""
    with zipfile.ZipFile(io.BytesIO(payload.code())) as archive:
        names = set(archive.namelist())
    covered = {
        str(path.relative_to(source_hash.ROOT))
        for package in source_hash.PACKAGES
        for path in (source_hash.ROOT / package).rglob("*")
        if path.suffix in (".py", ".toml")
    }
    assert covered <= names
    assert "traces/samples/olmoe-domains.parquet" in names
    assert not any("__pycache__" in name for name in names)
