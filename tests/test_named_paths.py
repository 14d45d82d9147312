"""Pages, comments and docstrings name files and modules that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = "evaluation|lb|traces|hardware|schedulers"
#: "evaluation/step/executor.py" or "tests/lb/": a path with a folder, as pages write it.
PATH = re.compile(rf"(?<![\w/.])((?:tests/)?(?:{PACKAGES})/[\w/.-]*[\w/])")
#: "evaluation.step.executor.StepExecutor" or "traces.save".
DOTTED = re.compile(rf"(?<![\w/.])((?:{PACKAGES})(?:\.\w+)+)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [path for name in PACKAGES.split("|") for path in sorted((ROOT / name).rglob("*.py"))]


def unknown_module(dotted):
    """Say whether a dotted name leaves the packages' folders at a name that no file has."""
    place = ROOT
    for part in dotted.split("."):
        if (place / f"{part}.py").is_file():
            return False
        if not (place / part).is_dir():
            names = (place / "__init__.py").read_text(encoding="utf-8")
            return re.search(rf"\b{part}\b", names) is None
        place /= part
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_files_and_modules_that_exist(page):
    """A move of a file is followed by every page that names it."""
    text = page.read_text(encoding="utf-8")
    assert [path for path in PATH.findall(text) if not (ROOT / path).exists()] == []
    assert [dotted for dotted in DOTTED.findall(text) if unknown_module(dotted)] == []


def test_docstrings_refer_to_modules_that_exist():
    """Cross-references such as :func:`evaluation.leaderboard.rank` lead somewhere."""
    role = re.compile(rf":\w+:`~?((?:{PACKAGES})(?:\.\w+)+)`")
    lost = [
        (str(path.relative_to(ROOT)), dotted)
        for path in MODULES
        for dotted in role.findall(path.read_text(encoding="utf-8"))
        if unknown_module(dotted)
    ]
    assert lost == []
