"""The example in docs/faults.md runs, and its table has the seconds of the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from evaluation.serving.faults.kinds import KINDS
from evaluation.serving.faults.recovery import CHECKS, MODES, Recovery

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
TEXT = PAGE.read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_runs(tmp_path, monkeypatch, capsys) -> None:
    """The scenario's tables are read, and the first plan is the one printed."""
    monkeypatch.chdir(tmp_path)
    Path("scenario.toml").write_text(_block("toml"), encoding="utf-8")
    exec(compile(_block("python"), str(PAGE), "exec"), {})
    printed = re.search(r"^# (603.*)$", TEXT, re.MULTILINE)
    assert printed is not None
    assert capsys.readouterr().out.strip() == printed[1]


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
