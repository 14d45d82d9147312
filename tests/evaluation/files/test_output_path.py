"""An output path that cannot be written is refused before the work."""

import pytest

from evaluation.files.output_path import check_output, check_output_folder


def test_a_file_in_an_existing_folder_is_accepted(tmp_path):
    """A new or existing file with an allowed ending is accepted; a folder only if allowed."""
    check_output(None, (".csv",))
    check_output(tmp_path / "new.csv", (".csv", ".parquet"))
    (tmp_path / "old.csv").touch()
    check_output(tmp_path / "old.csv")
    check_output(tmp_path, folder=True)


@pytest.mark.parametrize(
    ("name", "endings", "text"),
    [
        ("a.txt", (".csv", ".parquet"), r"^--out .*a\.txt: give a name that ends in \.csv or \.pa"),
        ("", (), "is a folder; give a file in it"),
        ("none/a.csv", (".csv",), "there is no folder .*none; create it first"),
    ],
)
def test_others_are_refused(tmp_path, name, endings, text):
    """The message names the option, the file, what is wrong, and how to fix it."""
    with pytest.raises(ValueError, match=text):
        check_output(tmp_path / name, endings, "--out")


def test_a_folder_is_checked_like_a_file(tmp_path):
    """A new or existing folder is accepted; a file, or a missing parent, is refused."""
    check_output_folder(tmp_path / "new")
    check_output_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"^--out .*file is not a folder"):
        check_output_folder(tmp_path / "file")
    with pytest.raises(ValueError, match=r"there is no folder .*none; create it first"):
        check_output_folder(tmp_path / "none" / "new")
