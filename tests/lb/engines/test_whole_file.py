"""Files are written whole or not at all."""

import pytest

from lb.engines.whole_file import write_whole


def test_it_replaces_what_was_there(tmp_path):
    """Text and bytes, and nothing else is left in the folder."""
    write_whole("old", tmp_path / "a.json", ".json")
    write_whole(b"new", tmp_path / "a.json", ".json")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.json", "new")]


def test_another_ending_is_refused(tmp_path):
    """Engines tell formats by the ending."""
    with pytest.raises(ValueError, match=r"a\.txt: give a name that ends in \.yaml or \.yml"):
        write_whole("", tmp_path / "a.txt", ".yaml", ".yml")


def test_what_cannot_be_renamed_leaves_nothing(tmp_path):
    """The target is a folder: no partial file stays behind."""
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError, match=r"a\.json"):
        write_whole("", tmp_path / "a.json", ".json")
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
