import pytest

from lb.atomic_file import write_file


def test_it_replaces_what_was_there(tmp_path):
    """Text and bytes, and nothing else is left in the folder."""
    write_file("old", tmp_path / "a.json", ".json")
    write_file(b"new", tmp_path / "a.json", ".json")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "new")]


def test_another_ending_is_refused(tmp_path):
    """Engines tell formats by the ending."""
    with pytest.raises(ValueError, match=r"a\.txt: give a name that ends in \.yaml or \.yml"):
        write_file("", tmp_path / "a.txt", ".yaml", ".yml")


def test_what_cannot_be_renamed_leaves_nothing(tmp_path):
    """The target is a folder: the message names it, and no temporary file stays behind."""
    (tmp_path / "a.json").mkdir()
    with pytest.raises(IsADirectoryError, match=rf"'{tmp_path}/a\.json'$"):
        write_file("", tmp_path / "a.json", ".json")
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
