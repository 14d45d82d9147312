"""A submission holds records, solvers and environment, and is deterministic."""

import json
import os
import zipfile

import pytest

from evaluation.records.submission.layout import CONTENTS, is_known
from evaluation.records.submission.pack import pack


def test_equal_inputs_give_equal_bytes(made, records, tmp_path):
    """Dates and the order of files on disk do not change the bytes."""
    folder, _ = records
    for path in folder.rglob("*.json"):
        os.utime(path, (10**9, 10**9))
    pack(made[0], tmp_path / "a.zip", [made[1]])
    pack(folder, tmp_path / "deep" / "b.zip", [made[1]])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "deep" / "b.zip").read_bytes()
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_contents_name_environment_and_hashes(made, tmp_path):
    """The contents name version, source hash, host, packages and the hash of every file."""
    contents = pack(made[0], tmp_path / "a.zip", [made[1]])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert json.loads(archive.read(CONTENTS)) == contents
    assert all(map(is_known, names))
    assert set(contents["files"]) == set(names) - {CONTENTS}
    assert {"podlab", "commit", "source_hash", "host", "format"} < set(contents)
    assert {"python", "numpy", "numba"} <= set(contents["packages"])
    assert sum(name.startswith("solvers/") for name in names) == 1


def test_the_file_of_a_solver_must_be_given_unchanged(made, tmp_path):
    """A record can be run again only with the file that it was made with."""
    out = tmp_path / "a.zip"
    with pytest.raises(
        ValueError, match=r"'third_party' comes from a file .*; give it by --solver"
    ):
        pack(made[0], out)
    edited = tmp_path / "third_party.py"
    edited.write_text(made[1].read_text() + "\n")
    with pytest.raises(ValueError, match="no record was made with this file as it is now"):
        pack(made[0], out, [edited])
    with pytest.raises(ValueError, match=r"--solver nowhere\.py: No such file"):
        pack(made[0], out, [tmp_path.joinpath("nowhere.py").relative_to(tmp_path)])
    assert not out.exists()


def test_no_records_are_no_submission(tmp_path):
    """The error names the command that creates records."""
    with pytest.raises(ValueError, match="holds no records; run podlab bench"):
        pack(tmp_path, tmp_path / "a.zip")
    with pytest.raises(ValueError, match="there is no folder"):
        pack(tmp_path / "none", tmp_path / "a.zip")
