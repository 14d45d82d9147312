"""Every calling convention gives the same answers under the same checks."""

import numpy as np
import pytest

import lb
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.calling_conventions import (
    ConventionAdapter,
    integer_counts,
    integers,
    slot_table,
)
from lb.engines.deepseek import Rebalance


def test_an_eplb_entry_is_a_solver(problem):
    """An entry of the EPLB form may return three maps, or the slot map."""
    asked = problem.replace(forecast=problem.load[-1])
    expected = lb.solve(asked, "eplb")
    ours = Rebalance(solver="eplb")
    assert (
        lb.solve(asked, ConventionAdapter(ours, "eplb")).physical_to_logical
        == expected.physical_to_logical
    ).all()
    one_map = ConventionAdapter(lambda *asked: ours(*asked)[0], "eplb")
    assert (lb.solve(asked, one_map).physical_to_logical == expected.physical_to_logical).all()


def test_padding_of_log2phy_is_not_read(problem):
    """Only the first logcnt entries of an expert in log2phy are read, as in ADRS."""
    ours = Rebalance(solver="eplb")

    def padded(*asked):
        slots, slots_of, replicas = ours(*asked)
        beyond = np.where(slots_of < 0, 999, slots_of)
        return slots, beyond, replicas

    assert lb.solve(problem, ConventionAdapter(padded, "eplb")).num_slots == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b, c: (a, b[:, :, :0], c), "has 0 columns, but an expert has 2 replicas"),
        (lambda a, b, c: (a, b[:, :1], c), "give \\[layers, experts, replicas\\]"),
        (lambda a, b, c: (a, np.where(b < 0, b, b[:, :, :1]), c), "lists one slot twice"),
        (lambda a, b, c: (a, b, c[:, ::-1] + 1), "does not count what phy2log places"),
    ],
)
def test_maps_that_disagree_are_refused(change, message, problem):
    """Maps that contradict each other are infeasible."""
    ours = Rebalance(solver="eplb")
    entry = ConventionAdapter(lambda *asked: change(*ours(*asked)), "eplb")
    with pytest.raises(lb.Infeasible, match=message):
        lb.solve(problem, entry)


def test_the_competitions_answer_names_its_layers(problem):
    """Without a change the loaded table stays; without one, the start-up layout is the table."""
    loaded = problem.current.physical_to_logical
    table, order = slot_table(lambda *_: (False, None, None, 0), "competition", problem, loaded)
    assert (table == loaded).all()
    assert order == []
    start, _ = slot_table(lambda *_: (False, None, None, 0), "competition", problem, None)
    assert start.tolist() == [[*range(8), 0, 1, 2, 3]] * 2
    halves = problem.replace(load=problem.load + 0.5)
    with pytest.raises(ValueError, match="takes whole counts below 2\\^31"):
        slot_table(lambda *_: None, "competition", halves, loaded)


def test_numbers_are_whole_or_refused():
    """Whole floats are accepted as expert numbers; nothing is rounded."""
    assert integers([[1.0, 2.0]], "table").dtype == np.int64
    for wrong, message in (([0.5], "holds 0.5"), ([np.inf], "holds inf"), (["a"], "dtype <U1")):
        with pytest.raises(lb.Infeasible, match=message):
            integers(wrong, "table")
    assert integer_counts(np.array([[2.0]])).dtype == np.int64
    assert integer_counts(np.array([[2.5]])).dtype == np.float64


def test_a_file_in_this_process_needs_no_name_either(tmp_path, problem):
    """Without limits a candidate from a file answers in this process, as its only entry."""
    path = tmp_path / "mine.py"
    path.write_text("from lb.engines.deepseek import rebalance_experts\n")
    solver = Candidate(str(path)).make()
    assert isinstance(solver, ConventionAdapter)
    assert lb.solve(problem, solver).num_slots == 12
    assert Candidate(str(path)).name == "mine"
    assert Candidate("greedy.py").name == "greedy.py"
