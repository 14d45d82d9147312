"""The comparing half of tools/compare_checkouts: what counts as a difference."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "compare_checkouts"
RECORD = {
    "suite": "quick-v1",
    "scenario": {"id": "drift"},
    "solver": "greedy",
    "dispatcher": "even",
    "seed": 0,
    "date": "2026-01-01T00:00:00+00:00",
    "source_hash": "aa",
    "scores": {"efficiency": 0.5, "moved_bytes": 3.0},
    "windows": {"step_s": [1.0, 2.0]},
    "wall": {"total_s": 1.0},
}
TABLE = "#  solver  slots  cost  solve\n1  greedy   92 %  14 ×   0.06\n"


def written(
    folder: Path,
    *,
    record: dict[str, Any] | None = None,
    name: str = "drift--greedy--0123456789ab.json",
    table: str = TABLE,
    code: int = 0,
) -> Path:
    """Return a folder as the command write leaves it: two cases, one with a record."""
    quick, plan = folder / "suite-quick", folder / "plan"
    (quick / "records").mkdir(parents=True)
    plan.mkdir()
    (folder / "cases.json").write_text('{"suite-quick": 1.0, "plan": 2.0}')
    (quick / "records" / name).write_text(json.dumps(record or RECORD))
    (quick / "show-table.txt").write_text(table)
    outcomes = {"show-table.txt": {"exit": code, "error": ""}}
    (quick / "outcomes.json").write_text(json.dumps(outcomes))
    (plan / "plan.csv").write_text("chips,goodput\n32,1.5\n64,2.5\n")
    return folder


def compared(*arguments: Path | str) -> tuple[int, list[str]]:
    """Return exit code and lines of the command compare."""
    command = [sys.executable, str(TOOL), "compare", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """Return a folder to compare others with."""
    return written(tmp_path / "before")


def test_equal_folders_do_not_differ(before, tmp_path):
    """Two equal folders: exit code 0."""
    assert compared(before, written(tmp_path / "after")) == (0, ["no difference"])


def test_clocks_provenance_and_file_names_are_ignored(before, tmp_path):
    """Another run of the same code has other clocks, hashes and file names."""
    record = RECORD | {"date": "2027", "source_hash": "bb", "wall": {"total_s": 9.0}}
    table = "#  solver  slots   cost   solve\n1  greedy   92 %  115 ×   10.16\n"
    after = written(tmp_path / "after", record=record, name="other--ba9876543210.json", table=table)
    assert compared(before, after) == (0, ["no difference"])


def test_one_changed_score_is_named_with_its_path(before, tmp_path):
    """Scores are compared exactly, to the last bit."""
    record = RECORD | {"scores": {"efficiency": 0.5000000000000001, "moved_bytes": 3.0}}
    code, lines = compared(before, written(tmp_path / "after", record=record))
    assert code == 1
    assert lines == [
        "suite-quick: records quick-v1 drift greedy even 0 .scores.efficiency: "
        "0.5 -> 0.5000000000000001",
        "1 differences in 1 cases",
    ]


def test_a_changed_type_and_a_longer_list_are_differences(before, tmp_path):
    """3.0 is not 3, and the length of a list counts."""
    record = RECORD | {
        "scores": {"efficiency": 0.5, "moved_bytes": 3},
        "windows": {"step_s": [1.0, 2.0, 3.0]},
    }
    code, lines = compared(before, written(tmp_path / "after", record=record))
    assert code == 1
    assert [line.rsplit(" .", 1)[-1] for line in lines[:-1]] == [
        "scores.moved_bytes: 3.0 -> 3",
        "windows.step_s.length: 2 -> 3",
        "windows.step_s[2]: missing -> 3.0",
    ]


def test_texts_are_compared_by_line(before, tmp_path):
    """A changed cell shows its line, with the clocks masked."""
    table = TABLE.replace("92 %", "93 %")
    code, lines = compared(before, written(tmp_path / "after", table=table))
    assert code == 1
    assert lines[0] == (
        "suite-quick: show-table.txt line 2: '1 greedy 92 % #' -> '1 greedy 93 % #'"
    )


def test_a_changed_exit_code_is_a_difference(before, tmp_path):
    """A command that starts to fail is found."""
    code, lines = compared(before, written(tmp_path / "after", code=1))
    assert code == 1
    assert lines[0] == "suite-quick: outcome of show-table.txt .exit: 0 -> 1"


def test_a_record_about_something_else_is_missing_and_new(before, tmp_path):
    """Records are matched by what they are about."""
    code, lines = compared(before, written(tmp_path / "after", record=RECORD | {"seed": 1}))
    assert code == 1
    assert lines == [
        "suite-quick: records quick-v1 drift greedy even 0: there -> missing",
        "suite-quick: records quick-v1 drift greedy even 1: missing -> there",
        "2 differences in 1 cases",
    ]


def test_rows_of_csv_are_compared_by_column(before, tmp_path):
    """A cell of a CSV file has a path."""
    after = written(tmp_path / "after")
    (after / "plan" / "plan.csv").write_text("chips,goodput\n32,1.5\n64,2.6\n")
    assert compared(before, after)[1][0] == "plan: plan.csv [1].goodput: '2.5' -> '2.6'"


def test_a_missing_case_is_a_difference(before, tmp_path):
    """A case in one folder alone is a difference, unless it is not chosen."""
    after = written(tmp_path / "after")
    (after / "cases.json").write_text('{"suite-quick": 1.0}')
    assert compared(before, after) == (
        1,
        ["plan: case: there -> missing", "1 differences in 1 cases"],
    )
    assert compared(before, after, "--only", "suite-*")[0] == 0


def test_like_differences_are_counted_beyond_the_limit(before, tmp_path):
    """The first are shown, the rest are counted."""
    record = RECORD | {"windows": {"step_s": [3.0, 4.0]}}
    after = written(tmp_path / "after", record=record)
    code, lines = compared(before, after, "--limit", "1")
    assert code == 1
    assert lines[1:] == [
        "suite-quick: … and 1 more of records .windows.step_s[*]",
        "2 differences in 1 cases",
    ]


def test_a_folder_of_something_else_is_refused(before, tmp_path):
    """A folder without cases: exit code 2 and a reason."""
    code, lines = compared(before, tmp_path)
    assert code == 2
    assert f"{tmp_path} is not what write wrote" in lines[0]
