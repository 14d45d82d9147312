"""The Python in docs/solvers.md and docs/engines.md runs, and says what it says."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

import lb

DOCS = Path(__file__).parent.parent / "docs"
ENGINES = {"sglang", "vllm", "vllm_ascend"}


def _blocks(page):
    """Return the Python blocks of a page, each behind as many empty lines as stand before it."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    return ["\n" * text[: block.start(1)].count("\n") + block[1] for block in found]


def _imported(block):
    """Return the first names of the modules that a block imports."""
    names = set()
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


def _run(page):
    """Run the blocks that need no engine, in order; return what they leave and how many ran."""
    left, count = {}, 0
    for block in _blocks(page):
        if not _imported(block) & ENGINES:
            exec(compile(block, str(DOCS / page), "exec"), left)
            count += 1
    return left, count


def test_the_engines_page_runs():
    """What needs no engine answers; what patches one names a module that we have."""
    left, count = _run("engines.md")
    assert count == 3
    assert left["phy2log"].shape == (58, 288)
    assert (left["logcnt"].sum(axis=1) == 288).all()
    assert left["policy"].on_error == "keep"
    patches = [block for block in _blocks("engines.md") if _imported(block) & ENGINES]
    assert len(patches) == 3
    for block in patches:
        ours = set(re.findall(r"lb\.engines\.\w+", block))
        assert ours
        assert all(importlib.util.find_spec(name) for name in ours)


@pytest.fixture(scope="module")
def solvers_page():
    """Run the page once."""
    left, count = _run("solvers.md")
    assert count == len(_blocks("solvers.md")) == 3
    return left


def test_seconds_gain_as_said(solvers_page):
    """Planning in seconds shortens the slowest rank by the two percent that are printed."""
    ratio = solvers_page["by_seconds"] / solvers_page["by_tokens"]
    assert ratio == pytest.approx(0.9795, abs=5e-4)
    assert solvers_page["problem"].objective == "tokens"


def test_robust_wins_where_loads_drift(solvers_page):
    """Under the optimal split, and only there."""
    reached = solvers_page["reached"]
    assert reached["robust"][1] > reached["local-search"][1] + 0.03
    assert reached["robust"][0] < reached["local-search"][0]


@pytest.mark.parametrize(
    ("names", "heading"),
    [
        (lb.available(), "## The solvers"),
        (lb.available_dispatchers(), "## Dispatchers"),
        (lb.available_forecasters(), "## Forecasters"),
    ],
)
def test_every_name_has_its_paragraph(names, heading):
    """A new registry line needs a paragraph on the page, and none is left over."""
    text = (DOCS / "solvers.md").read_text(encoding="utf-8")
    section = text.split(f"{heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^(?:\* )?\*\*([a-z-]+)\*\*", section, re.MULTILINE)
    assert sorted(found) == names


def test_the_table_names_what_solvers_honour():
    """Demands in the table are those that the solver's `honours` names."""
    text = (DOCS / "solvers.md").read_text(encoding="utf-8")
    rows = [re.split(r" *\| *", line)[1:-1] for line in text.splitlines() if line.startswith("| `")]
    stated = {row[0]: row[2] for row in rows if len(row) == 5}
    for name in lb.available():
        honoured = {word for word in ("max_moves", "rank_speed") if word in stated[f"`{name}`"]}
        assert honoured == set(getattr(lb.make(name), "honours", ())), name
