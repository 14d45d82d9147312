"""After a warm-up nothing is left to compile."""

import os
import subprocess
import sys

import pytest

import lb

WARM_THEN_SOLVE = """
import lb
from numba.core import event

lb.warm_up("greedy", "optimal")

compiled = []

class Listener(event.Listener):
    def on_start(self, each):
        compiled.append(each.data["dispatcher"].py_func.__qualname__)

    def on_end(self, each):
        pass

event.register("numba:compile", Listener())
problem = lb.Problem([[[9, 3, 2, 1, 1], [1, 2, 3, 9, 1]]] * 3, 3, 2)
placement = lb.solve(problem, "greedy")
share = lb.make_dispatcher("optimal")(placement, problem.planned_load)
placement.rank_load(problem.planned_load, share)
print(compiled)
"""


def test_nothing_is_compiled_after_it(tmp_path):
    """A problem of another size, with several windows, meets compiled kernels alone."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", WARM_THEN_SOLVE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_a_solver_of_ones_own_gets_tiny_problems():
    """A callable sees a problem without and one with a current placement; a budget if it heeds it.

    Nodes come with groups.
    """
    seen = []

    def mine(problem):
        seen.append(problem)
        return lb.make("contiguous")(problem)

    lb.warm_up(mine, windows=2, nodes=2)
    assert [problem.current is None for problem in seen] == [True, False]
    assert {problem.num_windows for problem in seen} == {2}
    assert {(problem.num_nodes, problem.expert_groups) for problem in seen} == {(2, 4)}
    mine.honours = frozenset({"max_moves"})
    lb.warm_up(mine)
    assert seen[-1].max_moves == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solver": "gredy"}, "did you mean 'greedy'"),
        ({"windows": 0}, "give windows >= 1"),
        ({"nodes": 3}, "1 or 2 nodes"),
        ({"dispatcher": "evn"}, "did you mean 'even'"),
    ],
)
def test_what_is_wrong_is_said_at_start_up(arguments, message):
    """A wrong name or number is an error before any engine serves."""
    with pytest.raises(ValueError, match=message):
        lb.warm_up(**arguments)
