"""Entries of other forms in this process: the same answers, the same checks."""

import numpy as np
import pytest

import lb
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.calling_conventions import (
    Translated,
    integers,
    slot_table,
    whole,
)
from lb.engines.deepseek import Rebalance


def test_deepseeks_form_is_a_solver(problem):
    """Its three maps are checked against each other, and one map alone will do."""
    asked = problem.replace(forecast=problem.load[-1])
    here = lb.solve(asked, "eplb")
    ours = Rebalance(solver="eplb")
    assert (
        lb.solve(asked, Translated(ours, "eplb")).physical_to_logical == here.physical_to_logical
    ).all()
    alone = Translated(lambda *asked: ours(*asked)[0], "eplb")
    assert (lb.solve(asked, alone).physical_to_logical == here.physical_to_logical).all()


def test_room_beyond_the_replicas_is_not_read(problem):
    """ADRS reads as many slots as logcnt says, whatever is behind them."""
    ours = Rebalance(solver="eplb")

    def padded(*asked):
        slots, slots_of, replicas = ours(*asked)
        beyond = np.where(slots_of < 0, 999, slots_of)
        return slots, beyond, replicas

    assert lb.solve(problem, Translated(padded, "eplb")).num_slots == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b, c: (a, b[:, :, :0], c), "has room for 0 replicas of an expert"),
        (lambda a, b, c: (a, b[:, :1], c), "give \\[layers, experts, replicas\\]"),
        (lambda a, b, c: (a, np.where(b < 0, b, b[:, :, :1]), c), "names a slot twice"),
        (lambda a, b, c: (a, b, c[:, ::-1] + 1), "does not count what phy2log places"),
    ],
)
def test_maps_that_disagree_are_refused(change, message, problem):
    """No claim of one is taken for what another holds."""
    ours = Rebalance(solver="eplb")
    entry = Translated(lambda *asked: change(*ours(*asked)), "eplb")
    with pytest.raises(lb.Infeasible, match=message):
        lb.solve(problem, entry)


def test_the_competitions_answer_names_its_layers(problem):
    """Without a change nothing is placed anew; without a current placement, the start is."""
    loaded = problem.current.physical_to_logical
    table, order = slot_table(lambda *_: (False, None, None, 0), "competition", problem, loaded)
    assert (table == loaded).all()
    assert order == []
    start, _ = slot_table(lambda *_: (False, None, None, 0), "competition", problem, None)
    assert start.tolist() == [[*range(8), 0, 1, 2, 3]] * 2
    halves = problem.replace(load=problem.load + 0.5)
    with pytest.raises(ValueError, match="given whole counts below 2\\^31"):
        slot_table(lambda *_: None, "competition", halves, loaded)


def test_numbers_are_whole_or_refused():
    """Floats that are whole are numbers of experts; nothing is rounded."""
    assert integers([[1.0, 2.0]], "table").dtype == np.int64
    for wrong, message in (([0.5], "holds 0.5"), ([np.inf], "holds inf"), (["a"], "dtype <U1")):
        with pytest.raises(lb.Infeasible, match=message):
            integers(wrong, "table")
    assert whole(np.array([[2.0]])).dtype == np.int64
    assert whole(np.array([[2.5]])).dtype == np.float64


def test_a_file_in_this_process_needs_no_name_either(tmp_path, problem):
    """Without limits a candidate answers as its entry does."""
    path = tmp_path / "mine.py"
    path.write_text("from lb.engines.deepseek import rebalance_experts\n")
    made = Candidate(str(path)).make()
    assert isinstance(made, Translated)
    assert lb.solve(problem, made).num_slots == 12
    assert Candidate(str(path)).name == "mine"
    assert Candidate("greedy.py").name == "greedy.py"
