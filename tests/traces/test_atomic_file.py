import os

import pytest

from traces.atomic_file import atomic_path, atomic_write


@pytest.mark.parametrize(("mode", "content"), [("w", "é\r\n"), ("wb", b"\xff")])
def test_the_file_holds_what_was_written(tmp_path, mode, content):
    """Text is UTF-8 with its own newlines; bytes stay bytes; nothing else is in the folder."""
    with atomic_write(tmp_path / "a.txt", mode) as file:
        file.write(content)
    written = (tmp_path / "a.txt").read_bytes()
    assert written == (content.encode() if mode == "w" else content)
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_name_appears_only_at_the_end(tmp_path):
    """A reader sees the old content for as long as the block runs."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path, "w") as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_an_error_leaves_the_old_file(tmp_path):
    """What the block raised comes through; the temporary file is removed."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic_write(path, "w") as file:
        file.writelines(["half", b"no text"])
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("kind", ["no folder", "a folder of this name"])
def test_a_message_names_the_target(tmp_path, kind):
    """The temporary name is in no message, and no temporary file stays."""
    path = tmp_path / "lacking" / "a.txt" if kind == "no folder" else tmp_path / "a"
    if kind != "no folder":
        path.mkdir()
        (path / "b").write_text("")
    with pytest.raises(OSError, match="a") as raised, atomic_write(path) as file:
        file.write(b"new")
    assert str(path) in str(raised.value)
    assert "partial" not in str(raised.value)
    assert not [name for name in os.listdir(tmp_path) if "partial" in name]


def test_an_error_of_another_file_stays_as_it_is(tmp_path):
    """Only the name of the temporary file is replaced in a message."""
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_write(tmp_path / "a"):
        (tmp_path / "elsewhere").read_text()


def test_a_writer_may_make_the_file_or_the_folder_itself(tmp_path):
    """The temporary path has the ending of the target; a folder is renamed as a file is."""
    with atomic_path(tmp_path / "a.npy") as partial:
        assert partial.suffix == ".npy"
        partial.write_text("file")
    with atomic_path(tmp_path / "b") as partial:
        partial.mkdir()
        (partial / "c").write_text("in a folder")
    assert (tmp_path / "a.npy").read_text() == "file"
    assert (tmp_path / "b" / "c").read_text() == "in a folder"


def test_a_folder_half_written_is_removed(tmp_path):
    """An error after the first file of a folder leaves nothing."""

    def half_write(folder):
        folder.mkdir()
        (folder / "c").write_text("half")
        raise ValueError("later")

    with pytest.raises(ValueError, match="later"), atomic_path(tmp_path / "b") as partial:
        half_write(partial)
    assert os.listdir(tmp_path) == []
