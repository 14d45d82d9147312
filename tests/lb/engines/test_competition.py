"""The balancing competition's entry point: tracked loads, the worst layers, the price of a move."""

import numpy as np
import pytest

import lb
from lb.engines.competition import Competitor, tracked_load

#: Layer 0 is balanced as it starts, [0 1 2 | 3 0 1] on two ranks; in layer 1 expert 2 is hot.
HOTNESS = np.tile([[8, 8, 10, 10], [8, 8, 40, 2]], (6, 1, 1)).astype(np.int32)


def _placement(table):
    return lb.Placement(np.reshape(table, (len(table), -1)), 2)


def test_the_worst_layer_is_changed_and_the_others_stay():
    """One layer is asked for, and the table of all comes back."""
    change, layers, table, aux = Competitor(layers=1)(HOTNESS, 2, 2)
    assert (change, layers.tolist(), aux) == (True, [1], None)
    assert table.shape == (2, 2, 3)
    assert table[0].tolist() == [[0, 1, 2], [3, 0, 1]]
    before = lb.Placement([[0, 1, 2, 3, 0, 1]] * 2, 2).balancedness(HOTNESS[0])
    assert _placement(table).balancedness(HOTNESS[0])[1] > before[1]


def test_layers_are_named_worst_first():
    """By the ratio of maximum to mean rank load, whatever a layer's own load."""
    layers = [[8, 8, 40, 2], [80, 80, 100, 100], [1, 1, 40, 1]]
    hotness = np.tile(layers, (3, 1, 1)).astype(np.int32)
    assert Competitor("greedy", layers=2)(hotness, 2, 2)[1].tolist() == [2, 0]
    assert Competitor("greedy", layers=1)(hotness, 2, 2)[1].tolist() == [2]


def test_a_move_that_does_not_pay_is_left():
    """At a price above all that can be gained nothing changes, and nothing is asked for."""
    change, layers, table, _ = Competitor(least_gain=0.7)(HOTNESS, 2, 2)
    assert (change, layers.size) == (False, 0)
    assert table.tolist() == [[[0, 1, 2], [3, 0, 1]]] * 2


@pytest.mark.parametrize(("least_gain", "moved"), [(0.9, 1), (1.0, 1), (1.1, 0)])
def test_the_price_is_counted_in_the_ratio_of_rank_loads(least_gain, moved):
    """Ranks [0 1 | 2 3 | 0 1] carry 2, 16, 2; with expert 2 for 0 on the last, 3, 9 and 8.

    The ratio of maximum to mean falls from 2.4 to 1.35 by this one move.
    """
    hotness = np.tile([[2, 2, 14, 2]], (60, 1, 1)).astype(np.int32)
    _, _, table, _ = Competitor(least_gain=least_gain, drift=0.0)(hotness, 3, 2)
    assert (table.ravel() != [0, 1, 2, 3, 0, 1]).sum() == moved


def test_it_remembers_what_it_answered():
    """Asked again with the same counts it has nothing to add; a new one starts over."""
    entry = Competitor()
    first = entry(HOTNESS, 2, 2)
    change, layers, table, _ = entry(HOTNESS, 2, 2)
    assert (change, layers.size) == (False, 0)
    np.testing.assert_array_equal(table, first[2])
    np.testing.assert_array_equal(Competitor()(HOTNESS, 2, 2)[2], first[2])


def test_the_answer_may_be_written_over():
    """What the caller does to the table is not remembered."""
    entry = Competitor()
    table = entry(HOTNESS, 2, 2)[2]
    kept = table.copy()
    table[:] = 0
    np.testing.assert_array_equal(entry(HOTNESS, 2, 2)[2], kept)


def test_experts_that_stay_on_their_rank_keep_their_slots():
    """A solver that shuffles the slots of each rank changes none."""

    def shuffled(problem):
        by_rank = problem.current.physical_to_logical.reshape(problem.num_layers, 2, 3)
        return _placement(by_rank[:, :, ::-1].tolist())

    assert Competitor(shuffled)(HOTNESS, 2, 2)[0] is False


def test_the_solver_is_told_load_current_placement_and_price():
    """Of the worst layers, worst first; the price in tokens of a mean rank load."""
    asked = []

    def solver(problem):
        asked.append(problem)
        return problem.current

    Competitor(solver, layers=2, least_gain=0.01, drift=0.0)(HOTNESS, 2, 2)
    (problem,) = asked
    load = tracked_load(HOTNESS, 0.0)[[1, 0]]
    np.testing.assert_allclose(problem.planned_load, load)
    assert problem.current.physical_to_logical.tolist() == [[0, 1, 2, 3, 0, 1]] * 2
    assert problem.move_price == pytest.approx(0.01 * load.sum(axis=1).mean() / 2)
    assert (problem.num_ranks, problem.slots_per_rank) == (2, 3)


def test_another_shape_is_another_run():
    """It says to make a new one."""
    entry = Competitor()
    entry(HOTNESS, 2, 2)
    with pytest.raises(ValueError, match="2 layers of 8 slots after 2 of 6; make a new Competitor"):
        entry(HOTNESS, 2, 4)
    with pytest.raises(ValueError, match="1 layers of 6 slots after 2 of 6"):
        entry(HOTNESS[:, :1], 2, 2)


def test_no_load_changes_nothing():
    """Counts of nothing are no reason to move."""
    assert Competitor()(np.zeros((4, 2, 4), dtype=np.int32), 2, 2)[0] is False


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        ({"layers": 0}, (HOTNESS, 2, 2), "layers = 0 < 1"),
        ({"least_gain": -1.0}, (HOTNESS, 2, 2), "least_gain = -1 < 0"),
        ({"drift": -0.1}, (HOTNESS, 2, 2), r"drift = -0\.1 < 0"),
        ({}, (HOTNESS, 0, 2), "n_device = 0 < 1"),
        ({}, (HOTNESS, 2, -1), "n_red_expert = -1 < 0"),
        ({}, (HOTNESS, 4, 2), r"4 experts \+ n_red_expert = 2 over n_device = 4 leaves 2 over"),
        ({}, (HOTNESS[0], 2, 2), "hotness has shape"),
        ({}, (HOTNESS[:0], 2, 2), "no axis of"),
        ({}, (HOTNESS - 9, 2, 2), "must be finite and >= 0"),
        ({"solver": "gredy"}, (HOTNESS, 2, 2), "did you mean 'greedy'"),
    ],
)
def test_wrong_arguments_are_refused(options, arguments, message):
    """What is wrong is named."""
    with pytest.raises(ValueError, match=message):
        Competitor(**options)(*arguments)


def test_hot_loads_follow_a_jump():
    """After two iterations of 20,000 instead of 10,000 the estimate is most of the way there."""
    hotness = np.full((12, 1, 1), 10_000)
    hotness[-2:] = 20_000
    assert tracked_load(hotness, 0.0245)[0, 0] > 19_000


def test_cold_loads_average_the_noise():
    """Of Poisson counts of mean 5 the estimate errs far less than the last count does."""
    counts = np.random.default_rng(0).poisson(5, size=(64, 4, 1000))
    error = tracked_load(counts, 0.0245) - 5
    assert np.sqrt((error**2).mean()) < 0.35 * np.sqrt(5)
    assert abs(error.mean()) < 0.25


def test_the_faster_the_drift_the_more_the_last_count_weighs():
    """With no drift all count alike; with much, the last alone."""
    hotness = np.array([100, 100, 100, 160])[:, None, None]
    estimates = [tracked_load(hotness, drift)[0, 0] for drift in (0.0, 0.1, 1.0, 100.0)]
    assert estimates == sorted(estimates)
    assert estimates[-1] == pytest.approx(160, abs=0.1)


def test_without_drift_it_is_the_mean():
    """But for the linearisation and half a token."""
    counts = np.random.default_rng(1).poisson(1000, size=(50, 2, 8))
    np.testing.assert_allclose(tracked_load(counts, 0.0), counts.mean(axis=0), rtol=2e-3)


def test_one_iteration_is_taken_as_it_is():
    """And nothing counted is not nothing expected."""
    assert tracked_load([[[0, 7]]], 0.1).tolist() == [[0.5, 7.5]]
    assert (tracked_load(np.zeros((30, 1, 2)), 0.1) > 0).all()
