"""Solvers by registered name and from a user's file."""

import pickle

import pytest

import lb
from evaluation.candidates.candidate import Candidate, parameters

FILE = """
import lb

def mine(problem):
    return lb.solve(problem, "contiguous")

class Seeded:
    def __init__(self, seed=0):
        self.seed = seed
    def __call__(self, problem):
        return lb.make("random", seed=self.seed)(problem)

greedy = mine
"""


@pytest.fixture
def path(tmp_path):
    """Write a user's file."""
    file = tmp_path / "own.py"
    file.write_text(FILE)
    return file


def test_function_and_class(path):
    """A function is the solver itself; a class is instantiated, with the seed if it takes one."""
    assert Candidate(f"{path}:mine").make().__name__ == "mine"
    assert Candidate(f"{path}:Seeded", seed=4).make().seed == 4
    assert Candidate("random", seed=4).make() == lb.make("random", seed=4)


def test_solver_from_a_file_can_be_pickled(path):
    """A solver from a file passes the conformance checks, which include pickling."""
    solver = Candidate(f"{path}:mine").make()
    assert pickle.loads(pickle.dumps(solver)) is solver
    outcome = lb.testing.check_solver(solver, known_failures=lb.make("contiguous").known_failures)
    assert outcome["check_survives_pickling"] == "passed"


def test_names_do_not_clash(path):
    """An entry with a registered name is shown with the name of its file."""
    assert Candidate(f"{path}:greedy").name == "own:greedy"
    assert Candidate(f"{path}:mine").name == "mine"


def test_changed_file_is_another_solver(path):
    """An edited file has another hash, and its new code runs."""
    before = Candidate(f"{path}:mine")
    first = before.file_hash
    before.make()
    path.write_text(FILE.replace('"contiguous"', '"greedy"') + "\ndef added(problem): ...\n")
    assert before.file_hash != first
    assert Candidate(f"{path}:added").make().__name__ == "added"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere.py:mine", "there is no file nowhere.py"),
        ("{path}:main", r"has no callable 'main'; .* one of mine, Seeded"),
        ("{path}", r"defines mine and Seeded; give .*:NAME"),
        ("{path}:FILE", "has no callable 'FILE'"),
        ("gredy", "unknown solver 'gredy': did you mean 'greedy'"),
    ],
)
def test_wrong_specs_are_named(path, spec, message):
    """The error names file and entry, and the entries that exist."""
    with pytest.raises(ValueError, match=message):
        Candidate(spec.format(path=path)).make()


def test_file_that_fails_is_named(tmp_path):
    """A syntax error in the file is reported with the name of the file."""
    file = tmp_path / "bad.py"
    file.write_text("def mine(:\n")
    with pytest.raises(ValueError, match=r"bad\.py cannot be run: SyntaxError"):
        Candidate(f"{file}:mine").make()


def test_parameters_reach_the_solver():
    """Parameters override the seed, survive pickling, and distinguish candidates."""
    candidate = Candidate("incremental", params=(("share", 0.25),))
    assert candidate.make().share == 0.25
    assert pickle.loads(pickle.dumps(candidate)).make() == candidate.make()
    assert candidate != Candidate("incremental")
    assert Candidate("random", seed=4, params=(("seed", 9),)).make().seed == 9
    assert parameters(candidate.make())["share"] == 0.25


def test_unknown_parameter_is_named():
    """The error lists the parameters that the solver takes."""
    with pytest.raises(
        ValueError, match=r"'incremental' has no parameter 'shares'; it takes .*share"
    ):
        Candidate("incremental", params=(("shares", 1),)).make()
    with pytest.raises(ValueError, match="'greedy' has no parameter 'x'"):
        Candidate("greedy", params=(("x", 1),)).make()
