"""A report is a folder, whole or not at all, that never replaces anything else."""

import pytest

from evaluation.report.record_files import MARK
from evaluation.report.site_folder import plotly_file, write
from tests.evaluation.report import made


def test_everything_is_there(tmp_path):
    """Pages and assets are in the folder, no file is outside, and all stays below 8 MB."""
    first = write(made.everything(), [], tmp_path / "site")
    assert first == tmp_path / "site" / "index.html"
    names = {path.relative_to(first.parent).as_posix() for path in first.parent.rglob("*.*")}
    assert {"index.html", "suites/toy-v1.html", "assets/plotly.min.js", MARK} <= names
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert sum(path.stat().st_size for path in first.parent.rglob("*.*")) < 8e6


def test_a_report_is_replaced_whole(tmp_path):
    """A second report leaves no page of the first."""
    write([made.solver("old")], [], tmp_path / "site")
    write([made.solver("new")], [], tmp_path / "site")
    names = {path.name for path in (tmp_path / "site" / "candidates").iterdir()}
    assert names == {"solver-new.html"}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_empty_folder_will_do(tmp_path):
    """A folder that somebody made for it is used."""
    (tmp_path / "site").mkdir()
    assert write([made.solver()], [], tmp_path / "site").exists()


def test_other_folders_are_refused(tmp_path):
    """A folder with anything else in it is left alone."""
    (tmp_path / "mine.txt").write_text("dear")
    with pytest.raises(ValueError, match="did not make"):
        write([made.solver()], [], tmp_path)
    (tmp_path / MARK).write_text("[]")
    with pytest.raises(ValueError, match="did not make"):
        write([made.solver()], [], tmp_path)
    with pytest.raises(ValueError, match="not a folder"):
        write([made.solver()], [], tmp_path / "mine.txt")
    with pytest.raises(ValueError, match="there is no folder"):
        write([made.solver()], [], tmp_path / "a" / "site")
    assert (tmp_path / "mine.txt").read_text() == "dear"


def test_records_inside_are_not_replaced(tmp_path):
    """A report is not written over the folder its records lie in."""
    site = tmp_path / "site"
    write([made.solver()], [], site)
    with pytest.raises(ValueError, match="holds the records"):
        write([made.solver()], [], site, sources=[site / "records"])


def test_a_failure_leaves_the_old_report(tmp_path, monkeypatch):
    """If pages cannot be made or written, the old report stays, and no other file."""
    write([made.solver("old")], [], tmp_path / "site")
    monkeypatch.setattr("evaluation.report.site_folder.ASSETS", ("missing.css",))
    with pytest.raises(FileNotFoundError):
        write([made.solver("new")], [], tmp_path / "site")
    assert (tmp_path / "site" / "candidates" / "solver-old.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_plotly_is_found_without_being_imported():
    """The script is a file of the installed package."""
    assert plotly_file().stat().st_size > 1e6
