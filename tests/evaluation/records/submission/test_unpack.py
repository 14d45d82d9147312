"""A third_party's zip is read in memory, and what no honest one does is refused."""

import hashlib
import json
import warnings
import zipfile

import pytest

from evaluation.records.submission import layout
from evaluation.records.submission.pack import pack
from evaluation.records.submission.unpack import unpack


def write(path, files, contents=None):
    """Write a zip of these files, and a table of contents that fits them."""
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
    """Records by their names, solvers by their hashes."""
    pack(made[0], tmp_path / "a.zip", [made[1]])
    found = unpack(tmp_path / "a.zip")
    assert sorted(one["solver"] for one in found.records.values()) == ["greedy", "third_party"]
    digest = hashlib.sha256(made[1].read_bytes()).hexdigest()
    assert found.solvers == {digest: ("third_party.py", made[1].read_bytes())}


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
def test_files_that_would_land_elsewhere_are_refused(name, tmp_path):
    """And so is whatever else a submission has no use for."""
    assert not layout.is_known(name)
    path = write(tmp_path / "a.zip", [(name, b"{}")] if name else [("x", b"")])
    with pytest.raises(ValueError, match="which no submission may hold"):
        unpack(path)


def test_bombs_are_refused(tmp_path, monkeypatch):
    """By what comes out, whatever the zip says of it: one file, all files, or their number."""
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
def test_what_does_not_fit_together_is_refused(files, contents, message, tmp_path):
    """By the name of the file."""
    with pytest.raises(ValueError, match=message):
        unpack(write(tmp_path / "a.zip", files, contents))


def test_what_is_no_zip_is_said(tmp_path):
    """A text, a cut-off zip, nothing at all."""
    path = write(tmp_path / "a.zip", [("records/a.json", b"{}")])
    whole = path.read_bytes()
    for content in (b"text", whole[: len(whole) // 2], b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a readable zip"):
            unpack(path)
    with pytest.raises(ValueError, match="not a readable zip"):
        unpack(tmp_path / "none.zip")
