"""Which callable of a file is meant."""

import pytest

from evaluation.candidates.sandbox import entry_point

MINE = "def mine(problem): ...\n"
CLASS = "class Mine:\n    def __call__(self, problem): ...\n"
FOUND = {
    "def rebalance_experts(w, s, g, n, r): ...\ndef helper(problem): ...": "rebalance_experts",
    "import x\nrebalance = x.Competitor()\n": "rebalance",
    "from x import rebalance_experts\n": "rebalance_experts",
    "def _used(x): ...\n" + MINE: "mine",
    CLASS + "def helper(load): ...\n": "Mine",
    "def solver(problem): ...\n" + MINE: "solver",
}


@pytest.mark.parametrize("source", FOUND)
def test_the_only_entry_is_found(source, tmp_path):
    """A known name first, else the only thing that is called with a problem."""
    path = tmp_path / "own.py"
    path.write_text(source)
    assert entry_point.entry_name(path) == FOUND[source]


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (MINE + CLASS, "", "defines mine and Mine; give .*:NAME, where NAME is one of mine, Mine"),
        ("def solve(p): ...\ndef rebalance(h, d, r): ...", "", "defines rebalance and solve"),
        ("x = 1\ndef helper(load): ...", "", "no entry that is known; .* one of x, helper"),
        ("", "", r"\(the file defines none\)"),
        (MINE, "yours", "has no callable 'yours'"),
        ("def mine(:", "mine", "cannot be run: SyntaxError"),
        ("x = '\0'", "x", "cannot be run: "),
    ],
)
def test_what_is_not_found_is_said(source, name, message, tmp_path):
    """With what there is instead; the file is not run."""
    path = tmp_path / "own.py"
    path.write_text(source)
    with pytest.raises(ValueError, match=message):
        entry_point.entry_name(path, name)


def test_names_behind_conditions_and_stars_are_believed(tmp_path):
    """A name may be defined under an if, or come from a star that is not looked into."""
    path = tmp_path / "own.py"
    path.write_text("if True:\n    def mine(problem): ...\nfor other in range(3): ...\n")
    assert entry_point.entry_name(path, "mine") == "mine"
    assert entry_point.entry_name(path, "other") == "other"
    path.write_text("from x import *\n")
    assert entry_point.entry_name(path, "anything") == "anything"


def test_the_form_goes_by_name_and_arguments():
    """One argument is a problem, three the competition's, five DeepSeek's."""
    assert entry_point.dialect_of("rebalance_experts", print) == "eplb"
    assert entry_point.dialect_of("rebalance", print) == "competition"
    assert entry_point.dialect_of("mine", lambda problem, share=2: 0) == "problem"
    assert entry_point.dialect_of("mine", lambda hotness, ranks, more, *, key=0: 0) == "competition"
    assert entry_point.dialect_of("mine", lambda w, s, g, n, r, old=None: 0) == "eplb"
    with pytest.raises(ValueError, match="mine takes 2 arguments"):
        entry_point.dialect_of("mine", lambda problem, share: 0)
    with pytest.raises(ValueError, match="mine is a int, which cannot be called"):
        entry_point.dialect_of("mine", 3)


def test_imports_are_found_wherever_they_stand(tmp_path):
    """Also inside a function, and never by a name that only begins alike."""
    path = tmp_path / "own.py"
    path.write_text("def f():\n    from torch.nn import Module\n")
    assert entry_point.imports(path, "torch")
    path.write_text("import torchless\nfrom . import torch\n")
    assert not entry_point.imports(path, "torch")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class Mine:\n    seed: int = 0\n    def __call__(self, problem): ...\n", True),
        (CLASS + "    def __init__(self, *, seed=0): ...\n", True),
        (CLASS + "    def __init__(self, share): ...\n", False),
        (MINE + "seed = 3\n", False),
        ("def mine(:", False),
    ],
)
def test_a_seed_is_seen_without_running(source, expected, tmp_path):
    """A field of a class, or an argument of its constructor."""
    path = tmp_path / "own.py"
    path.write_text(source + "raise SystemExit\n" if expected else source)
    assert entry_point.is_seeded(path) is expected
