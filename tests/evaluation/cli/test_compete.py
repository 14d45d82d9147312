"""The balancing competition, as a user types it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()

#: A machine of four ranks with three slots each, and eight experts.
SMALL = ["compete", "--ranks", "4", "--slots", "3"]
DRAWN = ["--layers", "3", "--experts", "8", "--tokens", "800", "--rho", "0.99"]

FILE = """
calls = []

def rebalance(hotness, n_device, n_red_expert):
    layers, experts = hotness.shape[1:]
    calls.append(len(hotness))
    assert calls[0] == 1  # no call before the run
    slots = [slot % experts for slot in range(experts + n_red_expert)]
    if len(calls) % 2:
        slots.reverse()
    width = len(slots) // n_device
    table = [[slots[r * width:][:width] for r in range(n_device)]] * layers
    return True, list(range(layers)), table, {"aux": calls}

class Still:
    def __call__(self, hotness, n_device, n_red_expert):
        return False, [], None, None

class Illegal:
    def __call__(self, hotness, n_device, n_red_expert):
        return True, [0], [[0]], None
"""


def _played(*arguments):
    result = RUNNER.invoke(app, [*SMALL, "--charge", "0", "--json", *arguments])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""  # no progress bar outside of a terminal
    return json.loads(result.stdout)


def _same(one, other):
    """Return whether all but what was measured is equal."""
    for run in (one, other):
        for player in ("entry", "baseline"):
            run[player].pop("call_ms", None)
    return one == other


@pytest.fixture
def own(tmp_path):
    """Write a user's file."""
    path = tmp_path / "own.py"
    path.write_text(FILE)
    return path


@pytest.fixture
def saved(tmp_path):
    """Save the counts that the command draws by itself with DRAWN."""
    from evaluation.kinds.competition.drifting_counts import drifting_counts

    path = tmp_path / "trace.npy"
    np.save(path, np.stack(list(drifting_counts(60, 3, 8, tokens=800, rho=0.99))))
    return path


def test_prints_the_score_and_both_runs():
    """A line for the entry and one for the baseline."""
    result = RUNNER.invoke(app, [*SMALL, *DRAWN, "--iterations", "40"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("score ")
    assert [line.split()[0] for line in lines[2:]] == ["entry", "baseline"]


def test_json_holds_what_the_score_is_made_of():
    """The score follows from the seconds, and these from imbalance and moves."""
    result = _played(*DRAWN, "--iterations", "40")
    for run in (result["entry"], result["baseline"]):
        expected = 60 * run["imbalance"] + run["moves"] * 88_080_384 / 900e9
        assert run["total_s"] == pytest.approx(expected)
    seconds = [result[player]["total_s"] for player in ("baseline", "entry")]
    assert result["score"] == pytest.approx(100 * seconds[0] / seconds[1])
    assert result["baseline"]["calls"] == 1


def test_a_fixed_charge_makes_runs_equal():
    """Then nothing depends on the clock; another seed is another trace."""
    call = [*DRAWN, "--iterations", "40"]
    assert _same(_played(*call), _played(*call))
    assert not _same(_played(*call), _played(*call, "--seed", "1"))


def test_a_charge_of_iterations_delays_every_call():
    """Charged 3 and four layers at most, fewer calls fit in."""
    free, charged = (
        _played(*DRAWN, "--iterations", "40", "--charge", cost)["entry"] for cost in ("0", "3")
    )
    assert charged["calls"] < free["calls"]
    assert charged["charged"] == 3 * charged["calls"]


def test_own_trace_plays_like_the_generated_one(saved):
    """The same counts, drawn or read, give the same run; --iterations takes the first ones."""
    assert _same(_played("--trace", str(saved)), _played(*DRAWN, "--iterations", "60"))
    cut = _played("--trace", str(saved), "--iterations", "20")
    assert _same(cut, _played(*DRAWN, "--iterations", "20"))


def test_a_trace_of_one_iteration_asks_nobody(saved):
    """There is no past to show."""
    assert _played("--trace", str(saved), "--iterations", "1")["entry"]["calls"] == 0


def test_own_entry_plays(own):
    """A function from a file; all slots of three layers but the palindrome's change each time."""
    result = _played(*DRAWN, "--iterations", "7", "--entry", f"{own}:rebalance")["entry"]
    assert result["calls"] == 2
    reversed_slots = np.arange(12) % 8
    changed = int((reversed_slots != reversed_slots[::-1]).sum())
    assert result["moves"] == 6 * changed


def test_own_class_plays_too(own):
    """An entry that changes nothing is asked before every iteration but the first."""
    result = _played(*DRAWN, "--iterations", "9", "--entry", f"{own}:Still")["entry"]
    assert (result["calls"], result["moves"]) == (8, 0)


def test_own_solver_is_wrapped(tmp_path):
    """A solver from a file answers through Competitor."""
    path = tmp_path / "mine.py"
    path.write_text("import lb\n\ndef mine(problem):\n    return lb.solve(problem, 'greedy')\n")
    call = [*DRAWN, "--iterations", "20", "--solver"]
    assert _same(_played(*call, f"{path}:mine"), _played(*call, "greedy"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--iterations", "0"], "iterations = 0 < 1"),
        (["--charge", "soon"], "--charge soon: give down, up or a number of iterations >= 0"),
        (["--charge", "-1"], "--charge -1: give down"),
        (["--window", "0"], "window = 0 < 1"),
        (["--every", "0"], "every = 0 < 1"),
        (["--answer-layers", "0"], "layers = 0 < 1"),
        (["--least-gain", "-1"], "least_gain = -1 < 0"),
        (["--drift", "-1"], "drift = -1 < 0"),
        (["--ranks", "0"], "num_ranks = 0 < 1"),
        (["--slots", "1"], "slots"),
        (["--rho", "2"], "rho = 2 > 1"),
        (["--solver", "gredy"], "did you mean 'greedy'?"),
        (["--entry", "greedy"], "entry 'greedy' is in no file"),
        (["--entry", "{own}:balance"], "has no callable 'balance'"),
        (["--entry", "{own}:Illegal"], "the table has shape (1, 1); give (3, 4, 3)"),
        (["--entry", "{own}:Still", "--solver", "greedy"], "--solver greedy has no effect with"),
        (["--entry", "{own}:Still", "--answer-layers", "4"], "--answer-layers 4 has no effect"),
        (["--trace", "{saved}"], "--layers 3 has no effect with --trace; leave one of them out"),
        (["--trace", "none.npy"], "--layers 3 has no effect"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(own, saved, call, message):
    """Exit code 2, and the line names what is wrong."""
    filled = [part.format(own=own, saved=saved) for part in call]
    result = RUNNER.invoke(app, [*SMALL, *DRAWN, "--iterations", "5", *filled])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--trace", "none.npy"], "none.npy: No such file"),
        (["--trace", "{own}"], "own.py: begins with"),
        (["--trace", "{saved}", "--iterations", "61"], "iterations = 61 > 60 that it has"),
    ],
)
def test_wrong_traces_are_refused_in_one_line(own, saved, call, message):
    """With the name of the file."""
    result = RUNNER.invoke(app, [*SMALL, *(part.format(own=own, saved=saved) for part in call)])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
