"""Incremental keeps to budgets and prices, and spends them where peaks fall most."""

import itertools

import numpy as np
import pytest

import lb


def _drifting(windows, layers, experts, rho=0.95, seed=0):
    """Loads exp of an AR(1) normal."""
    generator = np.random.default_rng(seed)
    state = generator.normal(size=(layers, experts))
    out = [state]
    for _ in range(windows - 1):
        out.append(rho * out[-1] + np.sqrt(1 - rho**2) * generator.normal(size=state.shape))
    return 1000 * np.exp(np.array(out))


def _problem(seed=0, layers=3, **changes):
    """A problem whose current placement suits the window before."""
    before, load = _drifting(2, layers, 24, rho=0.7, seed=seed)
    current = lb.solve(lb.Problem(before, 4, 8), "greedy")
    return lb.Problem(load, 4, 8, current=current, **changes)


def _peaks(placement, problem):
    return placement.rank_load(problem.planned_load).max(axis=1)


def _moves(placement, problem):
    return placement.moves_from(problem.current).sum(axis=1)


@pytest.mark.parametrize("budget", [0, 1, 2, 5, 13, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_a_budget_is_kept_and_more_is_never_worse_than_nothing(seed, budget):
    """At most so many moves; no layer's peak rises; the first move already helps."""
    problem = _problem(seed, max_moves=budget)
    answer = lb.solve(problem, "incremental")
    assert _moves(answer, problem).sum() <= budget
    before = _peaks(problem.current, problem)
    assert (_peaks(answer, problem) <= before).all()
    if budget:
        assert _peaks(answer, problem).sum() < before.sum()
    else:
        assert (answer.physical_to_logical == problem.current.physical_to_logical).all()


def test_a_large_budget_is_as_good_as_solving_anew():
    """With all the moves it wants it ends within a percent of local-search."""
    problem = _problem(layers=20, max_moves=10_000)
    full = lb.solve(problem.replace(max_moves=None), "local-search")
    repaired = lb.solve(problem, "incremental", spread=0.0)
    load = problem.planned_load
    assert repaired.balancedness(load).mean() > 0.99 * full.balancedness(load).mean()


@pytest.mark.parametrize("seed", range(5))
def test_one_move_goes_to_the_layer_that_gains_most(seed):
    """With one move it takes the best of the layers that it would repair alone."""
    problem = _problem(seed, layers=4, max_moves=1)
    before = _peaks(problem.current, problem)
    after = _peaks(lb.solve(problem, "incremental", spread=0.0), problem)
    falls = []
    for layer in range(4):
        current = lb.Placement(problem.current.physical_to_logical[layer : layer + 1], 4)
        alone = lb.Problem(problem.load[:, layer : layer + 1], 4, 8, current=current, max_moves=1)
        answer = lb.solve(alone, "incremental", spread=0.0)
        falls.append(float(_peaks(current, alone)[0] - _peaks(answer, alone)[0]))
    assert (before - after).sum() == pytest.approx(max(falls))
    assert max(falls) > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_price_is_paid_only_for_more(seed):
    """Every layer gains more than its moves cost, dearer moves are fewer, dear enough ones none."""
    problem = _problem(seed)
    before = _peaks(problem.current, problem)
    largest = float((before - problem.planned_load.sum(axis=1) / 4).max())
    counts = []
    for price in (0.0, 0.02 * largest, 0.1 * largest, 1.01 * largest):
        priced = problem.replace(move_price=price)
        answer = lb.solve(priced, "incremental")
        moves = _moves(answer, priced)
        gain = before - _peaks(answer, priced)
        assert (gain >= price * moves - 1e-9).all()
        assert (gain[moves > 0] > 0).all()
        counts.append(moves.sum())
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] > counts[3] == 0


def test_a_budget_holds_beside_a_price():
    """Where both are stated, moves stay within the budget and are worth the price."""
    free = _problem(move_price=1.0)
    wanted = _moves(lb.solve(free, "incremental"), free).sum()
    both = free.replace(max_moves=int(wanted) // 2)
    assert 0 < _moves(lb.solve(both, "incremental"), both).sum() <= wanted // 2


def test_share_is_the_budget_where_none_is_stated():
    """A tenth of all slots by default; none at 0."""
    problem = _problem(layers=10)
    assert 16 < _moves(lb.solve(problem, "incremental"), problem).sum() <= 32
    assert _moves(lb.solve(problem, "incremental", share=0), problem).sum() == 0


def test_only_the_layers_with_most_to_gain_are_repaired():
    """One layer of ten: the one whose own repair gains most net of its price."""
    problem = _problem(layers=10, move_price=50.0)
    everyone = lb.solve(problem, "incremental")
    before = _peaks(problem.current, problem)
    net = before - _peaks(everyone, problem) - 50 * _moves(everyone, problem)
    one = lb.solve(problem, "incremental", layers=1)
    changed = np.flatnonzero(_moves(one, problem))
    np.testing.assert_array_equal(changed, [net.argmax()])
    np.testing.assert_array_equal(
        one.physical_to_logical[changed], everyone.physical_to_logical[changed]
    )
    several = lb.solve(problem, "incremental", layers=99)
    np.testing.assert_array_equal(several.physical_to_logical, everyone.physical_to_logical)


def test_slow_ranks_and_convex_costs_count():
    """Peaks of time fall, by speed and by what tokens cost, though peaks of tokens need not."""
    speed = np.array([1.0, 0.5, 1.0, 1.0])
    problem = _problem(rank_speed=speed, max_moves=20)
    answer = lb.solve(problem, "incremental")
    times = [
        (one.rank_load(problem.planned_load) / speed).max(axis=1).sum()
        for one in (problem.current, answer)
    ]
    assert times[1] < 0.9 * times[0]
    cost = np.array([[0.0, 500.0], [600.0, 500.0], [1e4, 1e4]])
    problem = _problem(expert_cost=cost, max_moves=20)
    answer = lb.solve(problem, "incremental")

    def seconds(placement):
        each = problem.planned_load / placement.replica_count
        weight = np.interp(each, cost[:, 0], cost[:, 1])
        slots = np.take_along_axis(weight, placement.physical_to_logical, axis=1)
        return slots.reshape(3, 4, 8).sum(axis=2).max(axis=1)

    assert (seconds(answer) <= seconds(problem.current)).all()
    assert seconds(answer).sum() < seconds(problem.current).sum()


def test_without_a_current_placement_it_is_local_search():
    """Nothing to repair: solved anew."""
    problem = lb.Problem(_drifting(1, 3, 24)[0], 4, 8)
    np.testing.assert_array_equal(
        lb.solve(problem, "incremental").physical_to_logical,
        lb.solve(problem, "local-search").physical_to_logical,
    )


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"share": 1.1}, "share = 1.1 > 1"),
        ({"spread": -1}, "spread = -1 < 0"),
        ({"tolerance": "1"}, "tolerance = '1' is not a finite number"),
        ({"layers": 0}, "layers = 0 < 1"),
        ({"layers": 1.5}, "layers = 1.5 is not an integer"),
    ],
)
def test_parameters_are_checked(params, said):
    """With a current placement or without."""
    for problem in (_problem(), lb.Problem(np.ones((1, 8)), 4, 3)):
        with pytest.raises(ValueError, match=said):
            lb.solve(problem, "incremental", **params)


def test_a_tenth_of_the_slots_keeps_what_solving_anew_gets():
    """On drift at ρ = 0.95, at least 97 % of next-window balancedness, window after window."""
    load = _drifting(8, 12, 256, seed=3)
    current = lb.solve(lb.Problem(load[0], 32, 9), "local-search")
    kept, full = [], []
    for now, following in itertools.pairwise(load[1:]):
        problem = lb.Problem(now, 32, 9, current=current)
        anew = lb.solve(problem, "local-search")
        current = lb.solve(problem.replace(max_moves=12 * 288 // 10), "incremental")
        kept.append(current.balancedness(following).mean())
        full.append(anew.balancedness(following).mean())
    assert np.mean(kept[2:]) >= 0.97 * np.mean(full[2:])
