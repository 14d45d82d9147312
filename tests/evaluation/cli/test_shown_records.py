"""What a suite prints while it runs, where standard error is no terminal."""

import pytest

import lb.kernel
from evaluation.cli.shown_records import ShownRecords
from evaluation.cli.shown_sweep import cheap_first
from evaluation.kinds import named, suite_file
from evaluation.kinds.kernel_tasks import SolverKernels
from evaluation.kinds.suite_candidates import suite_candidates
from evaluation.kinds.task import tasks


@pytest.fixture(scope="module")
def todo():
    """Return tasks of the suite "quick", with long solvers first."""
    suite = suite_file.load("quick")
    return tasks(suite, suite_candidates(suite, ["learned", "ilp", "auto", "greedy"], None))


def _record(name, efficiency):
    return {
        "solver": name,
        "scenario": {"id": "here"},
        "dispatcher": "even",
        "status": "ok",
        "scores": {"efficiency": efficiency},
    }


@pytest.mark.parametrize(
    ("folder", "said"),
    [("/somewhere", "are kept in /somewhere"), (None, "set NUMBA_CACHE_DIR to a folder")],
)
def test_each_step_is_a_line(todo, capsys, monkeypatch, folder, said):
    """Compiling is announced and counted, and each new record has a line; reused ones have none."""
    monkeypatch.setattr(lb.kernel, "cache_folder", lambda: folder)
    kernels = [SolverKernels("local-search"), SolverKernels("greedy")]
    with ShownRecords(named("solver"), todo[:2], kernels, jobs=2) as shown:
        for kernel in kernels:
            shown.compiled(kernel)
        shown.record(_record("greedy", 0.5), reused=True)
        shown.record(_record("random", 0.25), reused=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "compiling kernels (first run only), about 5 s"
    assert lines[1:3] == ["compiled local-search (1 of 2)", "compiled greedy (2 of 2)"]
    assert said in lines[3]
    assert lines[4] == "2 of 2: random on here even: efficiency 0.2500"
    assert len(lines) == 5


def test_long_solvers_come_last_on_their_traffic(todo):
    """Scenarios keep their order; within each, the learned and exact solvers end it."""
    order = cheap_first(todo)
    assert sorted(map(id, order)) == sorted(map(id, todo))
    scenarios = [task.scenario for task in order]
    assert scenarios == [task.scenario for task in todo]
    assert [task.candidate.name for task in order[:4]] == ["greedy", "auto", "ilp", "learned"]
