"""`podlab submit` and `podlab leaderboard verify`, as a user types them."""

import json

from typer.testing import CliRunner

from evaluation.cli.app import app


def test_the_commands_pack_and_check(made, records, tmp_path):
    """0 where all reproduce, 1 where one does not, 2 where it is no submission."""
    folder, edit = records
    file = str(tmp_path / "a.zip")
    submit = ["submit", str(folder), "--out", file, "--solver", str(made[1])]
    runner = CliRunner()
    assert "2 records and 1 solvers' files" in runner.invoke(app, submit).stdout
    result = runner.invoke(app, ["leaderboard", "verify", file, "--sample", "0"])
    assert result.exit_code == 0, result.output
    assert "2 of 2 reproduce, 0 differ, 0 not checked" in result.stdout
    edit("greedy", lambda record: record["scores"].update(efficiency=1.0))
    runner.invoke(app, submit)
    result = runner.invoke(app, ["leaderboard", "verify", file, "--json"])
    assert result.exit_code == 1
    assert [verdict["outcome"] for verdict in json.loads(result.stdout)] == ["differs", "exact"]
    assert runner.invoke(app, ["leaderboard", "verify", str(made[1])]).exit_code == 2
    assert runner.invoke(app, ["submit", str(tmp_path / "none")]).exit_code == 2
