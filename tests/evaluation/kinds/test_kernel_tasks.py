"""What a suite compiles is found in its tasks."""

import pickle

import pytest

from evaluation.kinds import suite_file
from evaluation.kinds.kernel_tasks import SolverKernels, kernel_tasks
from evaluation.kinds.suite_candidates import suite_candidates
from evaluation.kinds.task import tasks


def _names(suite_name, solvers=(), compiled=()):
    suite = suite_file.load(suite_name)
    todo = tasks(suite, suite_candidates(suite, list(solvers), None))
    return [part.name for part in kernel_tasks(todo, compiled)]


def test_the_longest_come_first_and_what_is_compiled_is_left_out():
    """Each solver, the bounds and the workloads are compiled once, long ones first."""
    names = _names("steady", ["greedy", "local-search"])
    assert names == ["local-search", "workloads by loads", "bounds", "greedy"]
    later = _names("steady", ["affinity", "greedy", "local-search"])
    assert later == [*names, "affinity"]  # it starts from local search
    left = _names("steady", ["greedy", "local-search"], compiled={"bounds", "local-search"})
    assert left == ["workloads by loads", "greedy"]


def test_suites_of_schedulers_prepare_nothing():
    """They compile little, and it is not known beforehand."""
    assert _names("serving") == []


@pytest.mark.parametrize("solver", ["greedy", "no-such-solver"])
def test_an_error_is_left_to_the_task_that_meets_it(solver):
    """A preparation can be pickled and never raises."""
    assert pickle.loads(pickle.dumps(SolverKernels(solver))).run() == {}
