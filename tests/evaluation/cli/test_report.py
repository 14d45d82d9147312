"""`podlab report` says what it made, and what it left out."""

import json

from typer.testing import CliRunner

from evaluation.cli.app import app
from tests.evaluation.report import made


def run(*words):
    """Call the command line."""
    return CliRunner().invoke(app, ["report", *map(str, words)])


def put(folder, records):
    """Write records where a bench would."""
    folder.mkdir()
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record))
    return folder


def test_a_folder_becomes_a_site(tmp_path):
    """The first page is named with the number of records."""
    records = put(tmp_path / "records", made.suite())
    result = run(records, "--out", tmp_path / "site", "--title", "Mine")
    assert result.exit_code == 0, result.output
    assert "index.html: a report of 12 records" in result.output
    assert "<h1>Mine</h1>" in (tmp_path / "site" / "index.html").read_text()


def test_bad_files_are_said_and_left_out(tmp_path):
    """Each of the first few bad files has a line, the rest a number."""
    records = put(tmp_path / "records", [made.solver()])
    for number in range(12):
        (records / f"bad{number:02}.json").write_text("{")
    result = run(records, "--out", tmp_path / "site")
    assert result.exit_code == 0
    assert result.stderr.count("left out: ") == 11
    assert "2 more, listed on the first page" in result.stderr


def test_nothing_to_report_is_refused(tmp_path):
    """Without records, or with a folder that is something else, one line says so."""
    empty = put(tmp_path / "records", [])
    result = run(empty, "--out", tmp_path / "site")
    assert result.exit_code == 2
    assert "no records in" in result.stderr
    records = put(tmp_path / "more", [made.solver()])
    result = run(records, "--out", records)
    assert result.exit_code == 2
    assert "holds the records" in result.stderr
