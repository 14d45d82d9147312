"""A misbehaving program loses its own row of a sweep, with the reason."""

import os
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

import lb
from tests.evaluation.candidates.sandbox.conftest import FAST

HURRIED = replace(FAST, call_s=0.5)
SPREAD = """
import numpy as np
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    table = np.tile(np.arange(num_replicas) % weight.shape[1], (len(weight), 1))
"""
PLACED = "    return table\n"

CHEATS = {
    "hang": ("import time; time.sleep(600)", TimeoutError, r"the call took longer than 0\.5 s"),
    "spin": ("while True: pass", TimeoutError, r"the call took longer than 0\.5 s"),
    "exit": ("import sys; sys.exit(3)", RuntimeError, "SystemExit: 3"),
    "leave": ("import os; os._exit(0)", RuntimeError, "it exited with status 0"),
    "raise": ("raise KeyError('no')", RuntimeError, "KeyError: 'no'"),
    "recursion": (
        "rebalance_experts(weight, 1, 1, 1, 1)",
        RuntimeError,
        "RecursionError: maximum recursion depth",
    ),
    "segfault": (
        "import ctypes; ctypes.string_at(0)",
        RuntimeError,
        r"it was killed by signal 11 \(SIGSEGV\)",
    ),
    "flood": (
        "while True: print('x' * 60_000)",
        RuntimeError,
        r"it wrote more than 1048576 bytes of output; last output: x+",
    ),
    "memory": (
        "held = [bytearray(2**26) for _ in range(64)]",
        RuntimeError,
        r"MemoryError.* \(it may use 512 MiB\)",
    ),
    "forks": (
        "import os, time\n    for _ in range(30): os.fork() or time.sleep(60)\n    time.sleep(60)",
        RuntimeError,
        "it started more than 8 processes",
    ),
    "file": (
        "open('big', 'wb').truncate(2**27)",
        RuntimeError,
        "OSError.*File too large",
    ),
    "none": ("return None", lb.Infeasible, "phy2log has dtype object"),
    "shape": ("table = table[:1]", lb.Infeasible, r"phy2log has shape \(1, 12\); give \(2, 12\)"),
    "missing": ("table[:] = 0", lb.Infeasible, "places no copy of expert"),
    "traces": ("import traces", RuntimeError, "may import lb, and not traces"),
    "unprintable": (
        "class E(Exception):\n        def __str__(self): raise self\n    raise E",
        RuntimeError,
        "^E$",
    ),
    "terminal": (r"raise ValueError('\x1b[2J\n' * 9)", RuntimeError, r"^ValueError: (\[2J ?)+$"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_costs_only_its_own_answer(cheat, program, problem):
    """The error states the reason, and no process of the program survives."""
    body, error, reason = CHEATS[cheat]
    limits = HURRIED if cheat in ("hang", "spin") else FAST
    solver = program(f"{SPREAD}    {body}\n{PLACED}", limits=limits)
    with pytest.raises(error, match=reason):
        lb.solve(problem, solver)
    solver.close()
    assert not _running(solver.path.name)


def _running(name):
    """Return the running processes with the name of a file in their command line."""
    deadline = time.monotonic() + 2
    while True:
        listing = subprocess.run(["ps", "-eo", "pid,stat,args"], capture_output=True, text=True)
        alive = [line for line in listing.stdout.splitlines() if name in line and " Z" not in line]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.02)


ANSWERS = {
    "nan": ("np.full((2, 12), np.nan)", "phy2log holds nan"),
    "halves": ("np.full((2, 12), 0.5)", "phy2log holds 0.5"),
    "text": ("np.full((2, 12), 'a')", "phy2log has dtype <U1"),
    "negative": ("np.full((2, 12), -1)", "phy2log holds -1; experts run from 0 to 7"),
    "beyond": ("np.full((2, 12), 8)", "phy2log holds 8; experts run from 0 to 7"),
    "zeros": ("np.zeros((2, 12), int)", "places no copy of expert"),
    "ragged": ("[[0], [1, 2]]", "phy2log is ragged"),
    "huge": ("np.zeros((2, 10**7), np.int8)", r"phy2log has shape \(2, 10000000\)"),
    "claims": (
        "(good, np.full((2, 8, 1), 0), np.full((2, 8), 9))",
        "logcnt does not count what phy2log places",
    ),
    "elsewhere": (
        "(good, np.tile([0, -1], (2, 8, 1)), [[2] * 4 + [1] * 4] * 2)",
        "log2phy names a slot that holds another expert",
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_bad_answers_are_refused_with_the_value(answer, program, problem):
    """A wrong table is refused; it is never clipped, rounded or completed."""
    text, reason = ANSWERS[answer]
    source = (
        "import numpy as np\n"
        "def rebalance_experts(weight, slots, groups, nodes, ranks):\n"
        "    good = np.tile(np.arange(12) % 8, (2, 1))\n"
        f"    return {text}\n"
    )
    with pytest.raises(lb.Infeasible, match=reason):
        lb.solve(problem, program(source))


FORGED = """
import os, struct, sys
import numpy as np
def pipe():
    return max(int(name) for name in os.listdir("/proc/self/fd") if _is_pipe(name))
def _is_pipe(name):
    try:
        return "pipe" in os.readlink(f"/proc/self/fd/{{name}}")
    except OSError:
        return False
def rebalance_experts(weight, slots, groups, nodes, ranks):
    os.write(pipe(), {frame})
    os._exit(0)
"""
FRAMES = {
    "noise": ("b'x' * 64", "are no frame"),
    "pickle": ("b'\\x80\\x04\\x95' + b'x' * 64", "are no frame"),
    "size": (
        "struct.pack('<4sBxxxIQ', b'plb1', 3, 1, 2**40)",
        "answered with 1099511627776 bytes; 220 are allowed",
    ),
    "order": ("struct.pack('<4sBxxxIQ', b'plb1', 3, 7, 200)", "what it was not asked"),
    "kind": ("struct.pack('<4sBxxxIQ', b'plb1', 1, 1, 9)", "what it was not asked"),
    "short": (
        "struct.pack('<4sBxxxIQ', b'plb1', 3, 1, 16) + bytes(16)",
        r"the answer is 16 bytes and no table of \(2, 12\)",
    ),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_forged_frames_are_refused(frame, program, problem):
    """A program that writes to the pipe itself gains nothing.

    The largest answer has 220 bytes: 12 of sizes, and 8 for each of 2 x 12 slots and 2 layers.
    """
    text, reason = FRAMES[frame]
    with pytest.raises((RuntimeError, lb.Infeasible), match=reason):
        lb.solve(problem, program(FORGED.format(frame=text)))


def test_a_program_sees_only_the_past(program, problem):
    """A program sees its problem, an empty folder and a bare environment, and nothing else."""
    source = """
import os, sys
import lb
def solver(problem):
    assert os.listdir() == [], os.listdir()
    assert "PODLAB_SECRET" not in os.environ and "USER" not in os.environ
    assert sys.stdin.read() == ""
    assert problem.load.shape == (2, 2, 8)
    assert not [name for name in sys.modules if name.split(".")[0] in ("traces", "hardware")]
    return problem.current
"""
    os.environ["PODLAB_SECRET"] = "future"
    try:
        assert (
            lb.solve(problem, program(source)).physical_to_logical
            == problem.current.physical_to_logical
        ).all()
    finally:
        del os.environ["PODLAB_SECRET"]


def test_a_program_cannot_answer_from_memory(program, problem):
    """A stored placement in the original expert numbers is useless after renumbering."""
    future = np.random.default_rng(1).lognormal(sigma=2, size=problem.load.shape[1:])
    known = lb.solve(problem.replace(load=future, current=None), "greedy")
    source = (
        "import lb\n"
        f"def solver(problem):\n"
        f"    return lb.Placement({known.physical_to_logical.tolist()}, problem.num_ranks)\n"
    )
    best = known.balancedness(future).mean()
    seen = lb.solve(problem, program(source, permute=False))
    assert seen.balancedness(future).mean() == pytest.approx(best)
    renumbered = lb.solve(problem, program(source))
    assert renumbered.balancedness(future).mean() < 0.8 * best


def test_what_it_changes_stays_in_its_process(program, problem):
    """A program that patches lb patches its own copy only."""
    patch = "    import lb; lb.Placement.balancedness = lambda *_: np.ones(1)\n"
    source = SPREAD + patch + PLACED
    placement = lb.solve(problem, program(source))
    assert (placement.balancedness(problem.load[-1]) < 1).all()
