"""The examples in docs/sweeps.md run."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")


def test_the_script_runs(tmp_path):
    """With worker processes, as a file of the user's."""
    [script] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "own.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "own.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(line.split()[1:] for line in done.stdout.splitlines()) == [
        ["contiguous", "ok"],
        ["greedy", "ok"],
    ]


def test_options_of_the_page_are_those_of_the_command():
    """Each that it names is there."""
    command = [sys.executable, "-m", "evaluation", "bench", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"`(--[a-z-]+)", TEXT)) | {"--ray"}
    assert {"--jobs", "--task-limit", "--retries", "--fresh"} <= named
    assert all(option in shown for option in named)
