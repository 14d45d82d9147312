"""An untrusted zip file is read in memory, and invalid ones are refused."""

import hashlib
import json
import warnings
import zipfile

import pytest

from evaluation.records.submission import layout
from evaluation.records.submission.pack import pack
from evaluation.records.submission.unpack import unpack


def write(path, files, contents=None):
    """Write a zip of these files with a matching table of contents."""
    hashes = {name: hashlib.sha256(raw).hexdigest() for name, raw in files}
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # a name twice
        archive.writestr(
            layout.CONTENTS,
            json.dumps({"format": 1, "files": hashes} if contents is None else contents),
        )
        for name, raw in files:
            archive.writestr(name, raw)
    return path


def test_what_was_packed_is_read(made, tmp_path):
    """A packed submission is read back: records by name, solvers by hash."""
    pack(made[0], tmp_path / "a.zip", [made[1]])
    submission = unpack(tmp_path / "a.zip")
    assert sorted(record["solver"] for record in submission.records.values()) == [
        "greedy",
        "third_party",
    ]
    digest = hashlib.sha256(made[1].read_bytes()).hexdigest()
    assert submission.solvers == {digest: ("third_party.py", made[1].read_bytes())}


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.json",
        "/etc/cron.d/job",
        "records/../../escaped.json",
        "records/..\\escaped.json",
        "records/.hidden.json",
        "records/a/",
        "records//a.json",
        "records/a.py",
        "solvers/mine.py",
        "solvers/0123456789ab/../mine.py",
        "C:\\mine.json",
        "records/a\n.json",
        "",
    ],
)
def test_names_outside_the_layout_are_refused(name, tmp_path):
    """A name outside records/ and solvers/, or outside the folder, is refused."""
    assert not layout.is_known(name)
    path = write(tmp_path / "a.zip", [(name, b"{}")] if name else [("x", b"")])
    with pytest.raises(ValueError, match="which no submission may hold"):
        unpack(path)


def test_bombs_are_refused(tmp_path, monkeypatch):
    """The unpacked bytes of a file, of all files, and the number of files are limited.

    Three files of 9,999 bytes exceed 25,000. Twelve records and the contents are 13 files.
    """
    monkeypatch.setattr(layout, "MOST_FILE_BYTES", 10_000)
    monkeypatch.setattr(layout, "MOST_BYTES", 25_000)
    monkeypatch.setattr(layout, "MOST_FILES", 12)
    bomb = write(tmp_path / "a.zip", [("records/a.json", b"0" * 10**6)])
    assert bomb.stat().st_size < 5_000
    with pytest.raises(ValueError, match=r"'records/a.json' unpacks to more than 10000 bytes"):
        unpack(bomb)
    several = write(tmp_path / "b.zip", [(f"records/{n}.json", b"0" * 9_999) for n in range(3)])
    with pytest.raises(ValueError, match="all files to more than 25000"):
        unpack(several)
    many = write(tmp_path / "c.zip", [(f"records/{n}.json", b"{}") for n in range(12)])
    with pytest.raises(ValueError, match="13 files > 12"):
        unpack(many)


@pytest.mark.parametrize(
    ("files", "contents", "message"),
    [
        ([("records/a.json", b"{}")] * 2, None, "holds 'records/a.json' twice"),
        ([("records/a.json", b"[" * 99_999)], None, "'records/a.json' is no JSON"),
        ([("records/a.json", b"[]")], None, "'records/a.json' is no JSON object"),
        ([], {"format": 9}, "format 9; this podlab reads 1"),
        ([], [], "'submission.json' is no JSON object"),
        ([("records/a.json", b"{}")], {"format": 1, "files": {}}, "names other files"),
        (
            [("records/a.json", b"{}")],
            {"format": 1, "files": {"records/a.json": "0"}},
            "has another SHA-256",
        ),
    ],
)
def test_inconsistent_contents_are_refused(files, contents, message, tmp_path):
    """The error names the file that is wrong."""
    with pytest.raises(ValueError, match=message):
        unpack(write(tmp_path / "a.zip", files, contents))


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    """A text, a truncated zip, an empty and a missing file are no submissions."""
    path = write(tmp_path / "a.zip", [("records/a.json", b"{}")])
    whole = path.read_bytes()
    for content in (b"text", whole[: len(whole) // 2], b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a readable zip"):
            unpack(path)
    with pytest.raises(ValueError, match="not a readable zip"):
        unpack(tmp_path / "none.zip")
