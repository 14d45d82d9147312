"""The protocol of the balancing competition, on traces that fit in a head."""

import numpy as np
import pytest

import lb
from evaluation.kinds.competition import protocol
from evaluation.kinds.competition.protocol import (
    MOVE_S,
    CompetitionRun,
    baseline,
    checked_answer,
    play,
    rounded_down,
    rounded_up,
    score,
)

#: Two layers of four experts: at the start, rank 0 holds 0 1 2 and rank 1 holds 3 0 1.
START = [[0, 1, 2, 3, 0, 1]] * 2
#: What the entries below want in both layers: one slot a rank differs.
WANTED = np.array([[[0, 1, 2], [3, 2, 1]], [[0, 3, 2], [3, 0, 1]]])
#: Rank loads of layer 0: 8 and 0 at the start, 4 and 4 as wanted; of layer 1: 2 and 6, 5 and 3.
COUNTS = [[0, 0, 8, 0], [0, 0, 2, 6]]


def _steady(iterations, counts=COUNTS):
    return np.tile(np.array(counts, dtype=np.int32), (iterations, 1, 1))


class _Entry:
    """Answers the same each time, and writes down what it was shown."""

    def __init__(self, priority=(0, 1), table=WANTED, change=True):
        self.answer = (change, priority, table, None)
        self.shown = []

    def __call__(self, hotness, n_device, n_red_expert):
        """Return the answer."""
        assert (n_device, n_red_expert) == (2, 2)
        self.shown.append(hotness.copy())
        hotness[:] = -1  # what an entry does to its copy is its own affair
        return self.answer


def _play(entry, hotness, **options):
    return play(entry, hotness, 2, 3, **{"charge": lambda _: 0, **options})


def test_imbalance_is_maximum_over_mean_and_mean_over_layers():
    """8 and 0 are 2, 2 and 6 are 1.5, and together 1.75."""
    assert _play(_Entry(change=False), _steady(2)).imbalance.tolist() == [1.75, 1.75]


def test_a_layer_without_load_is_balanced():
    """Nothing to compute is no imbalance."""
    assert _play(_Entry(change=False), _steady(2, [[0] * 4] * 2)).imbalance.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("priority", "expected"), [((1, 0), [1.75, 1.625, 1.125]), ((0, 1), [1.75, 1.25, 1.125])]
)
def test_one_layer_is_loaded_an_iteration_in_the_entrys_order(priority, expected):
    """Layer 0 falls from 2 to 1, layer 1 from 1.5 to 1.25, one after the other."""
    ran = _play(_Entry(priority), _steady(4), every=100)
    assert ran.imbalance.tolist() == [*expected, 1.125]
    assert ran.moves == 2


def test_only_slots_that_change_count():
    """Layers that are not named stay, and a slot that keeps its expert is free."""
    assert _play(_Entry(priority=[0]), _steady(9)).moves == 1
    assert _play(_Entry(table=np.reshape(START, (2, 2, 3))), _steady(9)).moves == 0
    turned = np.array([[[1, 0, 2], [3, 0, 1]]] * 2)
    assert _play(_Entry(priority=[0], table=turned), _steady(9)).moves == 2


def test_no_change_leaves_everything():
    """Order and table do not count where nothing changes, and the entry is asked again."""
    ran = _play(_Entry(change=False, priority=None, table=None), _steady(5))
    assert (ran.moves, ran.calls) == (0, 4)


@pytest.mark.parametrize(("cost", "calls"), [(0, 2), (1, 2), (3, 1)])
def test_charge_delays_the_answer(cost, calls):
    """Asked before iteration 1, an answer charged n is loaded from iteration 1 + n."""
    ran = _play(_Entry(priority=[1]), _steady(4), charge=lambda _: cost, every=2)
    assert ran.imbalance.tolist() == [1.75] * (1 + cost) + [1.625] * (3 - cost)
    assert (ran.calls, ran.charged) == (calls, calls * cost)


def test_nobody_is_asked_while_an_answer_is_under_way():
    """Charged 2 and two layers to load: asked before iterations 1, 5 and 9."""
    entry = _Entry()
    _play(entry, _steady(10), charge=lambda _: 2)
    assert len(entry.shown) == 3


def test_the_entry_sees_the_past_alone():
    """Before iteration t it is shown the iterations before, at most ``window`` of them."""
    trace = np.arange(5 * 8, dtype=np.int32).reshape(5, 2, 4)
    entry = _Entry(change=False)
    _play(entry, iter(trace), window=3)
    for shown, (start, end) in zip(entry.shown, [(0, 1), (0, 2), (0, 3), (1, 4)], strict=True):
        np.testing.assert_array_equal(shown, trace[start:end])
    assert shown.dtype == np.int32


def test_every_counts_from_call_to_call():
    """Asked before iterations 1, 4 and 7."""
    entry = _Entry(change=False)
    _play(entry, _steady(8), every=3, window=100)
    assert [len(shown) for shown in entry.shown] == [1, 4, 7]


def test_rounding_of_charges():
    """An iteration is 0.08 s; begun ones are free, or count whole."""
    assert [rounded_down(seconds) for seconds in (0.0, 0.079, 0.081, 0.2)] == [0, 0, 1, 2]
    assert [rounded_up(seconds) for seconds in (0.0, 0.079, 0.081, 0.2)] == [0, 1, 2, 3]


def test_wall_time_is_charged(monkeypatch):
    """The clock runs from the question to the answer."""
    ticks = iter([0.0, 0.17, 1.0, 1.09])
    monkeypatch.setattr(protocol.time, "perf_counter", lambda: next(ticks))
    ran = play(_Entry(priority=[]), _steady(4), 2, 3)
    assert (ran.calls, ran.charged) == (2, 2 + 1)
    assert ran.wall_s == pytest.approx(0.26)


def test_seconds_and_score():
    """60 s times the mean imbalance and 88,080,384 B / 900 GB/s a move; 100 is the baseline."""
    assert pytest.approx(97.867e-6, rel=1e-5) == MOVE_S
    entry = CompetitionRun(np.array([1.0, 1.5]), 10, 1, 0, 0.0)
    assert entry.total_s == pytest.approx(75 + 10 * MOVE_S)
    half = CompetitionRun(np.array([2.5, 2.5]), 20, 1, 0, 0.0)
    assert score(entry, half) == pytest.approx(200)
    assert score(half, half) == 100
    with pytest.raises(ValueError, match="ran 2 iterations and the baseline 1; let both run"):
        score(entry, CompetitionRun(np.array([1.0]), 0, 0, 0, 0.0))


def test_baseline_is_eplb_of_the_last_1024_by_hand():
    """Asked before iteration 1 and 1,024 after that; what changed most is loaded first."""
    generator = np.random.default_rng(0)
    popularity = generator.lognormal(sigma=1.5, size=(2, 3, 8))
    trace = np.concatenate([generator.poisson(20 * one, size=(1025, 3, 8)) for one in popularity])
    ran = baseline(trace, 2, 5, charge=lambda _: 0)
    placement = lb.Placement([[*range(8), 0, 1]] * 3, 2)
    imbalance, moves, waiting = [], 0, []
    for iteration, counts in enumerate(trace):
        if iteration in (1, 1025, 2049):
            load = trace[max(0, iteration - 1024) : iteration].sum(axis=0)
            wanted = lb.solve(lb.Problem(load, 2, 5), "eplb").physical_to_logical
            changed = (wanted != placement.physical_to_logical).sum(axis=1)
            waiting = sorted(range(3), key=lambda layer: -changed[layer])
        if waiting:
            table = placement.physical_to_logical.copy()
            layer = waiting.pop(0)
            moves += int((table[layer] != wanted[layer]).sum())
            table[layer] = wanted[layer]
            placement = lb.Placement(table, 2)
        rank_load = placement.rank_load(counts)
        imbalance.append((rank_load.max(axis=1) / rank_load.mean(axis=1)).mean())
    assert (ran.calls, ran.moves) == (3, moves)
    np.testing.assert_allclose(ran.imbalance, imbalance)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "the answer is a NoneType; give"),
        ((True, [0], WANTED), "the answer is a tuple; give"),
        ((True, [0], WANTED.reshape(2, 6), None), r"shape \(2, 6\); give \(2, 2, 3\)"),
        ((True, [0], WANTED / 1, None), "dtype float64"),
        ((True, [0], WANTED - 1, None), "slot 0 is -1"),
        ((True, [0], np.where(WANTED == 2, 0, WANTED), None), "no copy of expert 2"),
        ((True, [0], WANTED % 3, None), "places 3 experts of 4"),
        ((True, [2], WANTED, None), "must name layers below 2"),
        ((True, [0, 0], WANTED, None), "each once"),
        ((True, [-1], WANTED, None), "layers_priority = -1 < 0"),
        ((True, [0.5], WANTED, None), "layers_priority = 0.5 is not an integer"),
        ((True, None, WANTED, None), "layers_priority = None is no list"),
    ],
)
def test_illegal_answers_are_refused(answer, message):
    """Nothing is loaded from an answer that cannot be."""
    with pytest.raises(ValueError, match=message):
        checked_answer(answer, lb.Placement(START, 2))
    with pytest.raises(ValueError, match=message):
        _play(lambda *_: answer, _steady(3))


def test_lists_and_numpy_numbers_are_legal():
    """An answer need not be made of arrays."""
    table, order = checked_answer(
        (np.True_, np.array([1, 0]), WANTED.tolist(), None), lb.Placement(START, 2)
    )
    np.testing.assert_array_equal(table, WANTED.reshape(2, 6))
    assert order == [1, 0]


@pytest.mark.parametrize(
    ("hotness", "options", "message"),
    [
        (np.empty((0, 2, 4)), {}, "the trace has 0 iterations < 1"),
        ([np.ones((2, 4)), np.ones((2, 5))], {}, r"load has shape \(2, 5\)"),
        (np.ones((2, 4)), {}, "load has shape"),
        (_steady(3), {"window": 0}, "window = 0 < 1"),
        (_steady(3), {"every": 0}, "every = 0 < 1"),
        (_steady(3), {"charge": lambda _: -1}, r"charge\(seconds\) = -1 < 0"),
    ],
)
def test_wrong_runs_are_refused(hotness, options, message):
    """What is wrong is named."""
    with pytest.raises(ValueError, match=message):
        _play(_Entry(change=False), hotness, **options)


def test_slots_hold_every_expert():
    """Two ranks of one slot cannot hold four experts."""
    with pytest.raises(ValueError, match="slots"):
        play(_Entry(), _steady(3), 2, 1)
