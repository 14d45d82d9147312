"""The Python in docs/scripts.md runs, and its commands are commands."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from evaluation.cli.app import app

PAGE = Path(__file__).parent.parent / "docs" / "scripts.md"
ROOT = PAGE.parent.parent


def test_the_python_runs(monkeypatch):
    """Block after block, from the root of the repository."""
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    left = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), left)
    assert 0 < left["scores"].combined_score < 1
    assert left["found"].keys() >= {"balancedness_score_expert", "speed_score", "times_algorithm"}
    assert "error" not in left["found"]


COMMANDS = re.findall(r"^    podlab (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_these_options(line):
    """Each line is parsed by the command that it names."""
    words = shlex.split(line)
    command = get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    assert command.make_context(command.name, words, resilient_parsing=False).params
