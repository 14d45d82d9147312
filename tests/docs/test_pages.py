"""Every code block of the documentation runs, or says why it does not."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, blocks

#: Pages whose own tests run their blocks and look at what comes of them.
OWN_TESTS = {
    "engines.md": "tests/test_docs_solvers.py",
    "faults.md": "tests/test_docs_faults.py",
    "generating.md": "tests/test_docs_generating.py",
    "leaderboard.md": "tests/test_docs_leaderboard.py",
    "report.md": "tests/evaluation/report/panels/test_panels.py",
    "requests.md": "tests/test_docs_requests.py",
    "scripts.md": "tests/test_docs_scripts.py",
    "serving.md": "tests/test_docs_serving.py",
    "solvers.md": "tests/test_docs_solvers.py",
    "sweeps.md": "tests/test_docs_sweeps.py",
}
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name not in OWN_TESTS]
LANGUAGES = {"python", "sh", "toml", "json", "text"}


def _shell(code: str) -> None:
    """Run lines of a shell with this environment's commands first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        env={**os.environ, "PATH": path, "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


def _run(page: Path, block: Block, scope: dict[str, object]) -> None:
    """Run one block of a page, which shares its names with those before it."""
    padded = "\n" * block.line + block.code
    if block.note == "file":
        Path(block.about).write_text(block.code, encoding="utf-8")
    elif block.language == "python":
        if block.note == "not run":
            ast.parse(padded)
        else:
            exec(compile(padded, str(page), "exec"), scope)
    elif block.language == "toml":
        tomllib.loads(block.code)
    elif block.language == "sh" and block.note != "not run":
        _shell(block.code)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_runs(page, tmp_path, monkeypatch):
    """The blocks of a page run in order in an empty folder, each after those before it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for block in blocks(page):
        if block.note == "file":  # another page may have a file of that name
            monkeypatch.delitem(sys.modules, Path(block.about).stem, raising=False)
    scope: dict[str, object] = {"__name__": "page"}
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{page.name}:{block.line} names no language"
        assert block.note != "not run" or block.about, f"{page.name}:{block.line} gives no reason"
        _run(page, block, scope)


@pytest.mark.parametrize("page", OWN_TESTS)
def test_a_page_with_tests_of_its_own_has_them(page):
    """A page is left out here only if another file of tests names it."""
    assert page in (ROOT / OWN_TESTS[page]).read_text(encoding="utf-8")


def test_a_failing_block_is_told(tmp_path):
    """A block that raises fails its page, at its line of the page."""
    page = tmp_path / "page.md"
    page.write_text("one\n\n<!-- before: x = 1 -->\n```python\ny = x + 1\nassert y == 3\n```\n")
    scope: dict[str, object] = {}
    first, second = blocks(page)
    _run(page, first, scope)
    with pytest.raises(AssertionError) as failed:
        _run(page, second, scope)
    assert failed.traceback[-1].lineno + 1 == 6


def test_notes_are_read(tmp_path):
    """A comment before a block is its note; a block with none has none."""
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: needs a GPU -->\n```sh\nfalse\n```\n\n<!-- file: a.py -->\n\n"
        "```python\nx = 1\n```\n\n```toml\na = 1\n```\n"
    )
    told = [(one.language, one.note, one.about) for one in blocks(page)]
    assert told == [("sh", "not run", "needs a GPU"), ("python", "file", "a.py"), ("toml", "", "")]
