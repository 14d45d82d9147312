"""Entries to the competition from a user's file."""

import re
from pathlib import Path

import numpy as np
import pytest

from evaluation.candidates.competition_entry import EntryCandidate
from lb.engines.competition import Competitor

FILE = """
def rebalance(hotness, n_device, n_red_expert):
    return False, [], None, None

class Remembers:
    def __init__(self, seed=0):
        self.seed = seed
    def __call__(self, hotness, n_device, n_red_expert):
        return False, [], None, None

class Needs:
    def __init__(self, budget):
        self.budget = budget
    __call__ = Remembers.__call__

class Silent:
    pass

made = Remembers(7)
"""


@pytest.fixture
def path(tmp_path):
    """Write a user's file."""
    file = tmp_path / "own.py"
    file.write_text(FILE)
    return file


def test_functions_and_objects_are_taken_as_they_are(path):
    """A function or a callable object is the entry itself."""
    assert EntryCandidate(f"{path}:rebalance").make()(None, 2, 2)[0] is False
    assert EntryCandidate(f"{path}:made").make().seed == 7


def test_classes_make_a_new_object_each_time(path):
    """A class is instantiated for every run, with the seed if it takes one."""
    candidate = EntryCandidate(f"{path}:Remembers", seed=3)
    assert candidate.make().seed == 3
    assert candidate.make() is not candidate.make()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("greedy", "entry 'greedy' is in no file; give path/to/file.py:NAME"),
        ("nowhere.py:rebalance", "entry 'nowhere.py:rebalance': there is no file nowhere.py"),
        ("{path}:balance", "has no callable 'balance'; .* one of rebalance, Remembers"),
        ("{path}", "has no callable ''"),
        ("{path}:Needs", "cannot be made: .*missing 1 required positional argument: 'budget'"),
        ("{path}:Silent", r"makes a Silent that cannot be called; give it __call__\(hotness"),
    ],
)
def test_wrong_specs_are_named(path, spec, message):
    """The error names the problem and the correct form."""
    with pytest.raises(ValueError, match=message):
        EntryCandidate(spec.format(path=path)).make()


def test_the_example_of_the_page_runs(tmp_path):
    """The example of docs/competition.md answers like the default entry."""
    page = (Path(__file__).parents[3] / "docs" / "competition.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    file = tmp_path / "handed_in.py"
    file.write_text(block)
    hotness = np.random.default_rng(0).poisson(20, size=(4, 3, 16))
    answer = EntryCandidate(f"{file}:rebalance").make()(hotness, 4, 4)
    expected = Competitor()(hotness, 4, 4)
    assert answer[0] is expected[0] is True
    np.testing.assert_array_equal(answer[2], expected[2])
