"""Files that tasks name, and podlab's code, travel to another machine."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from evaluation.records import source_hash
from evaluation.records.sweep import payload


@dataclass
class Names:
    """A task with one field."""

    value: object


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with user files."""
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
def test_named_files_are_found(value, names):
    """Files are found in nested fields, before an attribute, and in TOML files."""
    assert payload.user_files([Names(value), Names(value)]) == names


def test_a_file_outside_keeps_its_name(folder, monkeypatch):
    """Names outside the folder stay as they are written."""
    monkeypatch.chdir(folder / "below")
    absolute = str(folder / "own.py")
    assert payload.user_files([Names(absolute), Names("../own.py")]) == ["../own.py", absolute]


def test_a_damaged_toml_file_travels_as_it_is():
    """A damaged TOML file travels, and the task reports it."""
    Path("own.toml").write_text("[")
    assert payload.user_files([Names("own.toml")]) == ["own.toml"]


def test_code_is_all_that_the_code_hash_covers():
    """The archive has every Python and TOML file and the samples, but no compiled file."""
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
