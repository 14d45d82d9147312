"""The solver in CONTRIBUTING.md is what it says it is."""

import re
from pathlib import Path

import pytest

import lb.testing
from evaluation.candidates.candidate import Candidate

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1)


@pytest.fixture
def solver(tmp_path):
    """Paste it into a file."""
    (tmp_path / "mine.py").write_text(CODE)
    return Candidate(f"{tmp_path / 'mine.py'}:copies_first").make()


def test_it_has_fifteen_lines():
    """The heading keeps its word."""
    assert len([line for line in CODE.splitlines() if line.strip()]) == 15


@pytest.mark.parametrize("name", lb.testing.CHECKS)
def test_it_conforms(solver, name):
    """It passes every check."""
    lb.testing.CHECKS[name](solver)
