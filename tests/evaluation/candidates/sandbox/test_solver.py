"""A sandboxed program is a solver, whatever its calling convention."""

import gc
import pickle
import time
from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox import SandboxedSolver
from evaluation.candidates.sandbox.environment import isolation_command
from tests.evaluation.candidates.sandbox.conftest import FAST

SEEDED = """
from dataclasses import dataclass
import lb

@dataclass(frozen=True)
class Mine:
    seed: int = 0
    share: float = 0.5
    honours = frozenset({"max_moves"})
    forecasts = True

    def __call__(self, problem):
        assert (self.seed, problem.max_moves, problem.dispatcher) == (3, 4, "optimal")
        assert problem.num_nodes == 2 and problem.rank_distance.shape == (4, 4)
        return problem.current
"""
EPLB = """
import numpy as np
from lb.engines.deepseek import Rebalance
ours = Rebalance(solver="eplb")
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    assert weight.dtype == np.int64 and weight.shape == (2, 8), weight
    assert (num_replicas, num_groups, num_nodes, num_gpus) == (12, 2, 2, 4)
    return ours(weight, num_replicas, num_groups, num_nodes, num_gpus)
"""
PLAIN = """
import numpy as np
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    hottest = np.argsort(-weight, axis=1)[:, : num_replicas - weight.shape[1]]
    return np.hstack([np.tile(np.arange(weight.shape[1]), (len(weight), 1)), hottest])
"""
COMPETITION = """
import numpy as np
def rebalance(hotness, n_device, n_red_expert):
    assert hotness.dtype == np.int32 and hotness.shape == (2, 2, 8)
    assert (n_device, n_red_expert) == (4, 4)
    table = np.tile(np.arange(12) % 8, (2, 1)).reshape(2, 4, 3)
    return True, [1], table, None
"""


def test_a_class_gets_the_whole_problem(program, problem):
    """Seed, demands, nodes, distances and advice reach the program; its parameters come back."""
    asked = problem.replace(
        ranks_per_node=2, max_moves=4, rank_distance=np.ones((4, 4)), dispatcher="optimal"
    )
    solver = program(SEEDED, seed=3)
    assert solver.honours == {"max_moves"}
    assert solver.forecasts is True
    assert solver.program_parameters == {"seed": 3, "share": 0.5}
    answer = lb.solve(asked, solver)
    assert (answer.physical_to_logical == problem.current.physical_to_logical).all()


def test_an_eplb_program_answers_as_in_this_process(program, problem):
    """The sandbox does not change the answer; renumbering keeps its balance."""
    asked = problem.replace(ranks_per_node=2, expert_groups=2, forecast=problem.load[-1])
    expected = lb.solve(asked, "eplb")
    answer = lb.solve(asked, program(EPLB, permute=False))
    assert (answer.physical_to_logical == expected.physical_to_logical).all()
    renumbered = lb.solve(asked, program(EPLB))
    assert renumbered.balancedness(problem.load[-1]) == pytest.approx(
        expected.balancedness(problem.load[-1])
    )


def test_a_competition_program_changes_the_layers_it_names(program, problem):
    """A layer that the program does not name stays as it is loaded."""
    answer = lb.solve(problem, program(COMPETITION)).physical_to_logical
    assert (answer[0] == problem.current.physical_to_logical[0]).all()
    assert (answer[1] != problem.current.physical_to_logical[1]).any()


def test_equal_seeds_answer_equally(program, problem):
    """A pickled copy in another process gives the same answer."""
    solver = program(PLAIN)
    first = lb.solve(problem, solver).physical_to_logical
    again = pickle.loads(pickle.dumps(solver))
    try:
        assert (lb.solve(problem, again).physical_to_logical == first).all()
    finally:
        again.close()


TENSORS = """
import torch
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    assert isinstance(weight, torch.Tensor) and weight.dtype == torch.int64
    return torch.arange(num_replicas).remainder(weight.shape[1]).repeat(len(weight), 1)
"""


def test_programs_of_torch_get_tensors(program, problem):
    """A program that imports torch gets tensors, and may return one."""
    pytest.importorskip("torch")
    limits = replace(FAST, memory_bytes=4096 * 2**20)
    asked = problem.replace(forecast=problem.load[-1])
    assert lb.solve(asked, program(TENSORS, limits=limits)).num_slots == 12


def test_all_calls_together_have_a_limit(program, problem):
    """All calls of a program together have a time limit."""
    source = (
        "import time, numpy as np\n"
        "def rebalance_experts(weight, slots, *_):\n"
        "    time.sleep(0.3)\n"
        "    return np.tile(np.arange(slots) % weight.shape[1], (len(weight), 1))\n"
    )
    solver = program(source, limits=replace(FAST, total_s=0.5))
    lb.solve(problem, solver)
    with pytest.raises(TimeoutError, match=r"took longer than 0\.\d+ s|0\.5 s together"):
        lb.solve(problem, solver)


def test_a_file_that_fails_to_load_raises_on_the_first_call(program, problem):
    """The error has the exception of the file, or the time limit of loading."""
    with pytest.raises(RuntimeError, match=r"program0\.py cannot be run: OSError: full"):
        lb.solve(problem, program("raise OSError('full')\ndef solver(problem): ..."))
    slow = program("while 1: 1\ndef solver(p): ...", limits=replace(FAST, start_s=1.0))
    with pytest.raises(TimeoutError, match=r"loading took longer than 1 s"):
        lb.solve(problem, slow)


def test_after_a_failure_the_process_restarts(program, problem):
    """A call that kills the process does not affect later calls."""
    source = (
        "import os, numpy as np\n"
        "def rebalance_experts(weight, slots, *_):\n"
        "    if weight.sum() > 10**6: os._exit(1)\n"
        "    return np.tile(np.arange(slots) % weight.shape[1], (len(weight), 1))\n"
    )
    solver = program(source)
    with pytest.raises(RuntimeError, match="exited with status 1"):
        lb.solve(problem.replace(load=problem.load * 1000), solver)
    assert lb.solve(problem, solver).num_slots == 12


def test_the_process_ends_with_its_object(tmp_path, problem):
    """The process ends when its solver is garbage collected."""
    file = tmp_path / "own.py"
    file.write_text(PLAIN)
    solver = SandboxedSolver(file, limits=FAST)
    lb.solve(problem, solver)
    process = solver._process._popen
    assert process.poll() is None
    del solver
    gc.collect()
    deadline = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.returncode == -9


ALONE = """
import os, socket
import numpy as np
def rebalance_experts(weight, num_replicas, *_):
    assert os.getpid() < 10
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError as error:
        assert error.errno == 101, error  # the network is unreachable: not even itself is there
    return np.tile(np.arange(num_replicas) % weight.shape[1], (len(weight), 1))
"""


def test_isolated_programs_have_their_own_namespaces(program, problem):
    """An isolated program sees no other process and no network; its death is still reported."""
    try:
        isolation_command()
    except RuntimeError as error:
        pytest.skip(str(error))
    limits = replace(FAST, isolate=True)
    assert lb.solve(problem, program(ALONE, limits=limits)).num_slots == 12
    dying = ALONE.replace("    assert os.getpid() < 10", "    os.abort()")
    with pytest.raises(RuntimeError, match="it was killed by signal"):
        lb.solve(problem, program(dying, limits=limits))
