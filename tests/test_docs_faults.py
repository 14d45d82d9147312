"""The example in docs/faults.md runs, and its table has the seconds of the code."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from evaluation.serving.faults.checks import check
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS
from evaluation.serving.faults.rank_speed import rank_speed
from evaluation.serving.faults.recovery import CHECKS, MODES, Recovery

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
TEXT = PAGE.read_text(encoding="utf-8")


def _block(language: str, number: int = 0) -> str:
    """Return a code block of the page, by its number among those of the language."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return blocks[number]


def test_the_example_runs(tmp_path, monkeypatch, capsys) -> None:
    """The scenario's tables are read, and the first plan is the one printed."""
    monkeypatch.chdir(tmp_path)
    Path("scenario.toml").write_text(_block("toml"), encoding="utf-8")
    exec(compile(_block("python"), str(PAGE), "exec"), {})
    printed = re.search(r"^# (603.*)$", TEXT, re.MULTILINE)
    assert printed is not None
    assert capsys.readouterr().out.strip() == printed[1]


def test_the_kind_of_the_page_works(monkeypatch) -> None:
    """With its entry in KINDS, its faults pass the checks and slow the dies of a node."""
    names: dict[str, Any] = {}
    exec(compile(_block("python", 1), str(PAGE), "exec"), names)
    monkeypatch.setitem(KINDS, "throttled", names["Throttled"]())
    executor = ExecutorDies("a", "both", dies=4, dies_per_node=2, groups=4)
    faults = check([Fault(1.0, "a", "throttled", 1, speed=0.5)], [executor])
    assert rank_speed(faults, executor).tolist() == [1, 1, 0.5, 0.5]


@pytest.mark.parametrize("name", [field.name for field in fields(Recovery)])
def test_every_parameter_is_on_the_page(name) -> None:
    """Those of paths with their seconds."""
    assert name in CHECKS
    if name in ("mode", "spares", "heartbeat_s", "missed_heartbeats", "straggler_s"):
        assert re.search(rf"^{name} = ", TEXT, re.MULTILINE)
    else:
        assert f"| `{name}` | {getattr(Recovery(), name)} |" in TEXT


def test_every_kind_and_mode_is_on_the_page() -> None:
    """In the tables of what breaks and how it goes on."""
    for name in (*KINDS, *MODES):
        assert re.search(rf"^\| .*`{name}`.* \|", TEXT, re.MULTILINE)
