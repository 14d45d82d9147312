"""What could not be written is refused before the work."""

import pytest

from evaluation.files.output_path import check_output


def test_a_file_in_a_folder_that_there_is(tmp_path):
    """New or old, with an ending of those asked for; a folder where one may be given."""
    check_output(tmp_path / "new.csv", (".csv", ".parquet"))
    (tmp_path / "old.csv").touch()
    check_output(tmp_path / "old.csv")
    check_output(tmp_path, folder=True)


@pytest.mark.parametrize(
    ("name", "endings", "text"),
    [
        ("a.txt", (".csv", ".parquet"), r"^--out .*a\.txt: give a name that ends in \.csv or \.pa"),
        ("", (), "is a folder; give a file in it"),
        ("none/a.csv", (".csv",), "there is no folder .*none; make it first"),
    ],
)
def test_others_are_refused(tmp_path, name, endings, text):
    """The option, the name, what is wrong and the mend."""
    with pytest.raises(ValueError, match=text):
        check_output(tmp_path / name, endings, "--out")
