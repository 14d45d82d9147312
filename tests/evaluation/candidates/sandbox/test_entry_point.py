"""The entry of a file is found without running the file."""

import pytest

from evaluation.candidates.sandbox import entry_point

FUNCTION = "def mine(problem): ...\n"
CLASS = "class Mine:\n    def __call__(self, problem): ...\n"
ENTRIES = {
    "def rebalance_experts(w, s, g, n, r): ...\ndef helper(problem): ...": "rebalance_experts",
    "import x\nrebalance = x.Competitor()\n": "rebalance",
    "from x import rebalance_experts\n": "rebalance_experts",
    "def _used(x): ...\n" + FUNCTION: "mine",
    CLASS + "def helper(load): ...\n": "Mine",
    "def solver(problem): ...\n" + FUNCTION: "solver",
}


@pytest.mark.parametrize("source", ENTRIES)
def test_the_only_entry_is_found(source, tmp_path):
    """A known name is the entry, or else the only callable that takes a problem."""
    path = tmp_path / "own.py"
    path.write_text(source)
    assert entry_point.entry_name(path) == ENTRIES[source]


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (
            FUNCTION + CLASS,
            "",
            "defines mine and Mine; give .*:NAME, where NAME is one of mine, Mine",
        ),
        ("def solve(p): ...\ndef rebalance(h, d, r): ...", "", "defines rebalance and solve"),
        ("x = 1\ndef helper(load): ...", "", "no known entry; .* one of x, helper"),
        ("", "", r"\(the file defines none\)"),
        (FUNCTION, "yours", "has no callable 'yours'"),
        ("def mine(:", "mine", "cannot be run: SyntaxError"),
        ("x = '\0'", "x", "cannot be run: "),
    ],
)
def test_a_missing_entry_is_explained(source, name, message, tmp_path):
    """The error lists the names in the file."""
    path = tmp_path / "own.py"
    path.write_text(source)
    with pytest.raises(ValueError, match=message):
        entry_point.entry_name(path, name)


def test_names_under_conditions_and_wildcards_are_accepted(tmp_path):
    """A name may be defined under an if, or come from a wildcard import, which is not opened."""
    path = tmp_path / "own.py"
    path.write_text("if True:\n    def mine(problem): ...\nfor other in range(3): ...\n")
    assert entry_point.entry_name(path, "mine") == "mine"
    assert entry_point.entry_name(path, "other") == "other"
    path.write_text("from x import *\n")
    assert entry_point.entry_name(path, "anything") == "anything"


def test_the_convention_depends_on_name_and_arguments():
    """One required argument means a solver, three the competition, five DeepSeek's EPLB."""
    assert entry_point.convention_of("rebalance_experts", print) == "eplb"
    assert entry_point.convention_of("rebalance", print) == "competition"
    assert entry_point.convention_of("mine", lambda problem, share=2: 0) == "problem"
    assert (
        entry_point.convention_of("mine", lambda hotness, ranks, more, *, key=0: 0) == "competition"
    )
    assert entry_point.convention_of("mine", lambda w, s, g, n, r, old=None: 0) == "eplb"
    with pytest.raises(ValueError, match="mine takes 2 arguments"):
        entry_point.convention_of("mine", lambda problem, share: 0)
    with pytest.raises(ValueError, match="mine is a int, which cannot be called"):
        entry_point.convention_of("mine", 3)


def test_imports_are_found_wherever_they_stand(tmp_path):
    """An import inside a function counts; a package whose name only starts alike does not."""
    path = tmp_path / "own.py"
    path.write_text("def f():\n    from torch.nn import Module\n")
    assert entry_point.imports_package(path, "torch")
    path.write_text("import torchless\nfrom . import torch\n")
    assert not entry_point.imports_package(path, "torch")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class Mine:\n    seed: int = 0\n    def __call__(self, problem): ...\n", True),
        (CLASS + "    def __init__(self, *, seed=0): ...\n", True),
        (CLASS + "    def __init__(self, share): ...\n", False),
        (FUNCTION + "seed = 3\n", False),
        ("def mine(:", False),
    ],
)
def test_a_seed_is_seen_without_running(source, expected, tmp_path):
    """A seed is a field of a class or an argument of its constructor."""
    path = tmp_path / "own.py"
    path.write_text(source + "raise SystemExit\n" if expected else source)
    assert entry_point.is_seeded(path) is expected
