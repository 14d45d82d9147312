"""Local search improves on greedy without breaking a placement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb

JOINT = [[600, 560, 120, 120, 20, 10, 10, 10]]


def test_replicas_and_places_are_chosen_together():
    """The proved optimum 0.9216, which replicating first and placing then misses by far."""
    problem = lb.Problem(JOINT, 8, 2)
    assert lb.solve(problem, "greedy").balancedness(JOINT)[0] < 0.79
    assert lb.solve(problem, "local-search").balancedness(JOINT)[0] == pytest.approx(
        1450 / 1573.33, abs=1e-4
    )


@pytest.mark.parametrize(
    ("layers", "experts", "ranks", "width", "law", "least"),
    [
        (58, 256, 32, 9, "uniform", 0.9995),
        (58, 256, 32, 9, "zipf", 0.9995),
        (58, 256, 32, 9, "lognormal", 0.9995),
        (58, 256, 64, 5, "uniform", 0.998),
        (58, 256, 64, 5, "zipf", 0.998),
        (58, 256, 64, 5, "lognormal", 0.998),
        (58, 256, 72, 4, "uniform", 0.995),
        (58, 256, 72, 4, "zipf", 0.889),  # published starts end at 0.878
        (58, 256, 72, 4, "lognormal", 0.995),
        (60, 384, 64, 7, "uniform", 0.999),
        (60, 384, 64, 7, "zipf", 0.999),
        (60, 384, 64, 7, "lognormal", 0.999),
        (94, 128, 32, 5, "uniform", 0.997),
        (94, 128, 32, 5, "zipf", 0.997),
        (94, 128, 32, 5, "lognormal", 0.997),
    ],
)
def test_quality_at_the_size_of_real_models(layers, experts, ranks, width, law, least):
    """Mean balancedness over the layers, and no expert twice on a rank."""
    generator = np.random.default_rng(0)
    load = {
        "uniform": lambda: generator.uniform(size=(layers, experts)),
        "zipf": lambda: generator.permuted(
            np.tile(1 / np.arange(1, experts + 1), (layers, 1)), axis=1
        ),
        "lognormal": lambda: generator.lognormal(size=(layers, experts)),
    }[law]()
    placement = lb.solve(lb.Problem(load, ranks, width), "local-search")
    assert placement.balancedness(load).mean() >= least
    assert placement.duplicate_count.sum() == 0


def test_one_slot_a_rank_meets_the_bound():
    """With one slot a rank nothing but the number of replicas counts."""
    load = np.random.default_rng(1).lognormal(size=(4, 256))
    placement = lb.solve(lb.Problem(load, 320, 1), "local-search")
    bound = lb.bounds.balancedness_bound(load, 320, 1)
    np.testing.assert_allclose(placement.balancedness(load), bound, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 6), st.integers(0, 12))
def test_never_worse_than_greedy(seed, ranks, width, missing):
    """Whatever the shape, the peak is at most greedy's, and ranks of unequal speed count."""
    generator = np.random.default_rng(seed)
    experts = max(width, ranks * width - missing)
    load = generator.lognormal(sigma=2.0, size=(2, experts))
    speed = generator.uniform(0.5, 1.0, ranks)
    for changes in ({}, {"rank_speed": speed}):
        problem = lb.Problem(load, ranks, width, **changes)
        time = 1.0 if not changes else 1 / speed
        peaks = [
            (lb.solve(problem, solver).rank_load(load) * time).max(axis=1)
            for solver in ("local-search", "greedy")
        ]
        assert (peaks[0] <= peaks[1] * (1 + 1e-9)).all()


def test_more_effort_finds_more():
    """A hundred times the effort improves a layer that is far from its bound."""
    load = np.random.default_rng(5).lognormal(sigma=2.0, size=(2, 48))
    problem = lb.Problem(load, 16, 4)
    usual = lb.solve(problem, "local-search", effort=0).balancedness(load).mean()
    patient = lb.solve(problem, "local-search", effort=4_000_000).balancedness(load).mean()
    assert patient > usual


def test_a_convex_cost_is_what_is_balanced():
    """With seconds as the objective, the peak of seconds falls below that of balanced tokens."""
    load = np.random.default_rng(2).lognormal(sigma=1.5, size=(3, 64)) * 40
    cost = np.array([[0.0, 1.0], [60.0, 1.0], [120.0, 2.0]])
    problem = lb.Problem(load, 8, 9)

    def peak(placement):
        tokens = np.take_along_axis(load, placement.physical_to_logical, axis=1)
        seconds = np.maximum(1.0, tokens * placement.even_share / 60)
        return seconds.reshape(3, 8, 9).sum(axis=2).max(axis=1)

    by_seconds = peak(lb.solve(problem.replace(expert_cost=cost), "local-search"))
    assert (by_seconds < peak(lb.solve(problem, "local-search"))).all()


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"tolerance": -0.1}, "tolerance = -0.1 < 0"),
        ({"effort": 1.5}, "effort = 1.5 is not an integer"),
        ({"worthwhile": float("nan")}, "worthwhile = nan is not a finite number"),
    ],
)
def test_refused_parameters(params, said):
    """A parameter that cannot be is named."""
    with pytest.raises(ValueError, match=said):
        lb.solve(lb.Problem(JOINT, 8, 2), "local-search", **params)
