"""Robust plans for the next window, and for the dispatcher that will serve it."""

import numpy as np
import pytest

import lb
from lb.expected_peak import anneal
from lb.scenarios import outlook


def _drifting(windows, layers, experts, rho=0.95, seed=0):
    """Loads exp of an AR(1) normal."""
    generator = np.random.default_rng(seed)
    state = generator.normal(size=(layers, experts))
    out = [state]
    for _ in range(windows - 1):
        out.append(rho * out[-1] + np.sqrt(1 - rho**2) * generator.normal(size=state.shape))
    return 1000 * np.exp(np.array(out))


def test_the_next_window_is_balanced_better_than_by_a_perfect_fit():
    """Drift at ρ = 0.95: robust with the optimal dispatcher is far above a good fit with it."""
    load = _drifting(9, 4, 256)
    problem = lb.Problem(load[:8], 32, 9, dispatcher="optimal")
    split = lb.make_dispatcher("optimal")

    def following(placement):
        return placement.balancedness(load[8], split(placement, load[8])).mean()

    fitted = lb.solve(problem.replace(load=load[7:8]), "local-search")
    planned = lb.solve(problem, "robust")
    assert following(planned) >= 0.92
    assert following(fitted) < 0.88
    assert planned.duplicate_count.sum() == 0


def test_one_window_under_a_fixed_split_is_balanced_as_it_is():
    """Without a past and a dispatcher that could help, local search answers."""
    problem = lb.Problem(_drifting(1, 2, 32, seed=1), 4, 9)
    found, expected = (lb.solve(problem, name) for name in ("robust", "local-search"))
    np.testing.assert_allclose(
        found.balancedness(problem.total_load), expected.balancedness(problem.total_load), atol=0.01
    )


@pytest.mark.parametrize("dispatcher", ["even", "optimal"])
def test_windows_that_come_again_are_planned_for(dispatcher):
    """Two kinds of traffic take turns: planning for both beats fitting the one just seen."""
    kinds = np.random.default_rng(6).lognormal(size=(2, 3, 48))
    load = kinds[np.arange(7) % 2]
    split = lb.make_dispatcher(dispatcher)

    def following(solver):
        seen = load[:6] if solver == "robust" else load[5:6]
        placement = lb.solve(lb.Problem(seen, 6, 10, dispatcher=dispatcher), solver)
        return placement.balancedness(load[6], split(placement, load[6])).mean()

    assert following("robust") > following("local-search") + 0.1


def test_annealing_follows_the_dispatcher():
    """The peak that it reports is what the exact dispatcher makes of its placement."""
    generator = np.random.default_rng(3)
    load = generator.lognormal(size=16)[np.newaxis]
    start = lb.solve(lb.Problem(load, 4, 6), "local-search").physical_to_logical[0].copy()
    hottest = np.argsort(-load[0])
    samples = load[0][hottest][:, None] * np.exp(0.4 * generator.normal(size=(16, 50)))
    samples = (samples / samples.sum(axis=0) * 4).astype(np.float32)
    mine = np.argsort(hottest)[start]
    held = np.ones((4, 16), dtype=bool)
    reported = anneal(
        mine, samples, np.ones(4, np.float32), 20, 1e-3, -1.0, held, 0.0, generator.random((300, 4))
    )
    placement = lb.Placement(mine[None], 4)
    split = lb.make_dispatcher("optimal")
    peaks = [
        placement.rank_load(row[None], split(placement, row[None])).max()
        for row in samples.T.astype(float)
    ]
    assert reported == pytest.approx(np.mean(peaks), rel=1e-3)


def test_outlook_learns_how_fast_loads_drift():
    """The spread of an AR(1) and its pull to the mean are read from eight windows."""
    load = _drifting(8, 6, 256, rho=0.8, seed=2)
    view = outlook(lb.Problem(load, 32, 9), None, 0.3)
    np.testing.assert_allclose(view.spread, np.sqrt(1 - 0.8**2), rtol=0.15)
    logs = np.log(load[-1] / load[-1].mean(axis=1, keepdims=True))
    slope = np.polyfit(logs.ravel(), np.log(view.median).ravel(), 1)[0]
    assert 0.6 < slope < 0.95


def test_outlook_without_a_past():
    """One window is its own guess, a layer without load is flat, a forecast takes precedence."""
    problem = lb.Problem([[4.0, 2.0], [0.0, 0.0]], 2, 1)
    view = outlook(problem, None, 0.3)
    assert view.spread.tolist() == [[0.3, 0.3]]
    assert view.median[0, 0] / view.median[0, 1] == pytest.approx(2, rel=0.02)
    assert view.median[1, 0] == view.median[1, 1]
    forecast = outlook(problem.replace(forecast=[[1, 9], [1, 1]]), 0.1, 0.3)
    assert forecast.median[0].tolist() == [0.2, 1.8]
    assert forecast.spread.tolist() == [[0.1, 0.1]]


def test_slow_ranks_get_less():
    """With unequal speeds the slow rank's load is lower."""
    load = _drifting(3, 2, 32, seed=4)
    speed = np.array([0.5, 1.0, 1.0, 1.0])
    problem = lb.Problem(load, 4, 10, rank_speed=speed, dispatcher="optimal")
    placement = lb.solve(problem, "robust")
    assert (
        placement.rank_load(load[-1])[:, 0] < placement.rank_load(load[-1])[:, 1:].min(axis=1)
    ).all()


def test_a_price_buys_fewer_moves():
    """The dearer a move, the fewer are made; at no price nearly everything moves."""
    load = _drifting(6, 2, 64, seed=5)
    problem = lb.Problem(load[:5], 8, 9, dispatcher="optimal")
    problem = problem.replace(current=lb.solve(problem.replace(load=load[:4]), "robust"))
    moves = [
        lb.solve(problem.replace(move_price=price), "robust").moves_from(problem.current).sum()
        for price in (0.0, 1e-3 * load.sum() / 48, 1e12)
    ]
    assert moves[0] > 4 * moves[1] > 0
    assert moves[2] == 0


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"samples": 1}, "samples = 1 < 2"),
        ({"warmth": 0.0}, "warmth = 0 < 1e-09"),
        ({"quantile": 1.5}, "quantile = 1.5 > 1"),
        ({"spread": "wide"}, "spread = 'wide' is not a number"),
    ],
)
def test_refused_parameters(params, said):
    """A parameter out of range is named."""
    with pytest.raises(ValueError, match=said):
        lb.solve(lb.Problem([[4, 2]], 2, 1), "robust", **params)
