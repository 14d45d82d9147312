"""What exact placement promises: known optima, honest bounds, never worse than its hint."""

import itertools
import sys

import numpy as np
import pytest

import lb
import lb.testing
from lb.solvers.ilp import Ilp
from lb.solvers.ilp.bound import peak_bound
from lb.solvers.ilp.copies import count_copies, nearby_copies
from lb.solvers.ilp.cover import Cover
from lb.solvers.ilp.exact import Exact
from lb.solvers.ilp.layer import Layer
from lb.solvers.ilp.objective import rank_times, seconds
from lb.solvers.ilp.patterns import patterns

pytest.importorskip("ortools")
pytest.importorskip("scipy")

BACKENDS = ("cp-sat", "highs")
#: Flat up to 60 tokens, then a second for each token: an expert that is bound by memory.
MEMORY_BOUND = [[0, 60], [60, 60], [100, 100]]
#: Name to problem, all small enough to try every placement.
BANK = {
    "two ranks": lb.Problem([[7, 5, 4, 3, 1]], 2, 3),
    "no redundancy": lb.Problem([[9, 8, 7, 5, 4, 2]], 3, 2),
    "one hot expert": lb.Problem([[100, 30, 20, 9, 4]], 3, 3),
    "ties": lb.Problem([[6, 6, 6, 2, 2]], 3, 2),
    "no load": lb.Problem([[8, 5, 0, 0]], 3, 2),
    "unequal ranks": lb.Problem([[9, 8, 7, 5, 4, 2]], 3, 3, rank_speed=[1, 2, 1.5]),
    "memory-bound experts": lb.Problem([[170, 90, 50, 20, 10]], 3, 2, expert_cost=MEMORY_BOUND),
    "both": lb.Problem(
        [[170, 90, 50, 20, 10]], 3, 2, expert_cost=MEMORY_BOUND, rank_speed=[1, 1, 3]
    ),
}
for shape, row in {
    "free split": [[9, 8, 7, 5, 4, 2]],
    "free and tight": [[30, 9, 8, 7, 6]],
}.items():
    BANK[shape] = lb.Problem(row, 3, 2, dispatcher="optimal")
JOINT = lb.Problem([[600, 560, 120, 120, 20, 10, 10, 10]], 8, 2)


def least_peak(problem):
    """Try every placement without duplicates."""
    contents = list(itertools.combinations(range(problem.num_experts), problem.slots_per_rank))
    best = np.inf
    for ranks in itertools.product(contents, repeat=problem.num_ranks):
        row = np.concatenate(ranks)
        if len(set(row.tolist())) == problem.num_experts:
            placement = lb.Placement([row], problem.num_ranks)
            best = min(best, rank_times(problem, placement).max())
    return best


def lognormal(layers=1, experts=32, ranks=8, slots=5, seed=0, **fields):
    """A problem without ties."""
    load = np.random.default_rng(seed).lognormal(size=(layers, experts))
    return lb.Problem(load, ranks, slots, **fields)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", BANK)
def test_known_optima(name, backend):
    """Both back ends reach the optimum of every small problem, and say so."""
    solved = Ilp(backend=backend, gap=1e-5).solve_with_gaps(BANK[name])
    optimum = least_peak(BANK[name])
    assert solved.peak[0] == pytest.approx(optimum, rel=1e-5)
    assert solved.bound[0] <= optimum * (1 + 1e-9)
    assert solved.optimal.all()
    assert solved.gap[0] <= 1e-5


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(6))
def test_random_small_problems(seed, backend):
    """No bound is above the optimum, and what is called optimal is."""
    generator = np.random.default_rng(seed)
    fields = [{}, {"rank_speed": generator.uniform(0.3, 2, 3)}, {"dispatcher": "optimal"}][seed % 3]
    problem = lb.Problem(generator.lognormal(sigma=1.5, size=(1, 6)), 3, 2 + seed % 2, **fields)
    solved, optimum = Ilp(backend=backend).solve_with_gaps(problem), least_peak(problem)
    assert solved.bound[0] <= optimum * (1 + 1e-9)
    assert optimum * (1 - 1e-9) <= solved.peak[0] <= optimum * (1 + 1e-4)
    assert solved.optimal.all()


@pytest.mark.parametrize("name", BANK)
def test_bound_is_below_every_optimum(name):
    """The bound that no model computed is below the optimum as well."""
    layer = Layer.of(BANK[name], 0)
    assert peak_bound(BANK[name], layer, 0) * layer.unit <= least_peak(BANK[name]) * (1 + 1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_and_ranks_are_chosen_together(backend):
    """The joint optimum, 0.9216, is proven; replicating first and placing then gives 0.781."""
    solved = Ilp(backend=backend).solve_with_gaps(JOINT)
    assert lb.solve(JOINT, "greedy").balancedness(JOINT.planned_load)[0] == pytest.approx(0.78125)
    assert solved.placement.balancedness(JOINT.planned_load)[0] == pytest.approx(0.9216, abs=5e-5)
    assert solved.optimal.all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("slots", [4, 5])
def test_32_experts_on_8_ranks_are_proven(slots, backend):
    """With and without redundant slots the peak is within a ten-thousandth of the bound."""
    problem = lb.Problem(np.random.default_rng(0).uniform(size=(1, 32)), 8, slots)
    solved = Ilp(backend=backend, budget=10).solve_with_gaps(problem)
    assert solved.optimal.all()
    assert solved.gap[0] <= 1e-4


@pytest.mark.parametrize("backend", BACKENDS)
def test_free_split_is_planned_for(backend):
    """Under the optimal dispatcher the peak is that dispatcher's, and reaches the mean."""
    problem = lognormal(1, 12, 4, 4, dispatcher="optimal")
    solved = Ilp(backend=backend).solve_with_gaps(problem)
    share = lb.make_dispatcher("optimal")(solved.placement, problem.planned_load)
    assert solved.peak[0] == solved.placement.rank_load(problem.planned_load, share).max()
    assert solved.optimal.all()
    hint = rank_times(problem, lb.solve(problem, "greedy")).max()
    assert hint > 1.01 * solved.bound[0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("hint", ["contiguous", "eplb", "greedy"])
def test_never_worse_than_the_hint(hint, backend):
    """Whatever the start and however small the budget, no layer gets hotter."""
    for problem in (
        lognormal(3),
        lognormal(3, 24, 4, 8),
        lognormal(2, rank_speed=np.arange(1, 9)),
        lognormal(3, 30, 8, 4, dispatcher="optimal"),
    ):
        if hint != "greedy":
            problem = problem.replace(rank_speed=None)
        start = rank_times(problem, lb.solve(problem, hint)).max(axis=1)
        solved = Ilp(backend=backend, hint=hint, budget=0.05).solve_with_gaps(problem)
        assert (solved.peak <= start).all()
        np.testing.assert_array_equal(
            solved.peak, rank_times(problem, solved.placement).max(axis=1)
        )
        assert (solved.bound <= solved.peak * (1 + 1e-9)).all()


def test_a_good_hint_is_returned_as_it_is():
    """A layer whose hint meets the bound is not touched."""
    for problem in lb.testing.planted().values():
        answer, hint = lb.solve(problem, "ilp"), lb.solve(problem, "greedy")
        np.testing.assert_array_equal(answer.physical_to_logical, hint.physical_to_logical)


def test_hint_may_be_a_callable():
    """The start is whatever solver is given, duplicates on a rank or not."""
    problem = lb.Problem([[5, 4, 3]], 3, 2)
    crowded = lb.Placement([[0, 0, 1, 2, 1, 2]], 3)
    answer = Ilp(hint=lambda problem: crowded)(problem)
    assert answer.duplicate_count.sum() == 0
    assert answer.rank_load(problem.load[0]).max() == least_peak(problem)


@pytest.mark.parametrize("backend", BACKENDS)
def test_more_budget_never_hurts_and_layers_share_it(backend):
    """Both budgets improve on the hint, the larger at least as much."""
    problem = lognormal(2, 64, 16, 5)
    small, large = (
        Ilp(backend=backend, budget=budget).solve_with_gaps(problem) for budget in (0.2, 2.0)
    )
    hint = rank_times(problem, lb.solve(problem, "greedy")).max(axis=1)
    assert (small.peak < hint).all()
    assert (large.peak <= small.peak).all()


def test_real_size_is_refined_a_few_ranks_at_a_time():
    """256 experts on 32 ranks are too many for one model; the hint still gets better."""
    problem = lognormal(1, 256, 32, 9)
    solved = Ilp(budget=0.3).solve_with_gaps(problem)
    hint = rank_times(problem, lb.solve(problem, "greedy")).max(axis=1)
    assert solved.gap[0] < 0.3 * (hint[0] / solved.bound[0] - 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_missing_package_is_named(backend, monkeypatch):
    """Without the back end's package the error says what to install, whatever the load."""
    name = {"cp-sat": "ortools.sat.python", "highs": "scipy.optimize"}[backend]
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'podlab\[ilp\]'"):
        lb.solve(lb.Problem(np.ones((1, 8)), 4, 2), "ilp", backend=backend)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"backend": "gurobi"}, "backend = 'gurobi' is not one of cp-sat, highs"),
        ({"budget": 0}, "budget = 0 must be finite and > 0"),
        ({"gap": float("nan")}, "gap = nan must be finite and > 0"),
        ({"seed": -1}, "seed = -1 < 0"),
        ({"hint": "gredy"}, "did you mean 'greedy'"),
    ],
)
def test_parameters_are_checked(fields, message):
    """A wrong parameter is an error that names it."""
    with pytest.raises(ValueError, match=message):
        lb.solve(JOINT, "ilp", **fields)


def test_patterns_are_all_the_sets():
    """Depth-first listing finds what trying every set finds, in any order of the limits."""
    weight = np.sort(np.random.default_rng(3).uniform(size=12))[::-1]
    for width, low, high in [(1, 0.2, 0.7), (3, 1.0, 1.3), (5, -1.0, 9.0), (12, 0.0, 99.0)]:
        every = itertools.combinations(range(12), width)
        wanted = [ids for ids in every if low <= weight[list(ids)].sum() <= high]
        found = patterns(weight, width, low, high, most=1000, steps=10_000)
        np.testing.assert_array_equal(found, wanted)


def test_patterns_that_are_too_many_are_not_listed():
    """One set or one step too many gives None."""
    weight = np.ones(6)
    assert patterns(weight, 3, 0, 9, most=20, steps=1000) is not None
    assert patterns(weight, 3, 0, 9, most=19, steps=1000) is None
    assert patterns(weight, 3, 0, 9, most=20, steps=20) is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_cover_is_feasible_exactly_down_to_the_optimum(backend):
    """Without redundant slots a cover exists at the optimal level and not below."""
    problem = BANK["no redundancy"]
    layer = Layer.of(problem, 0)
    weight = layer.cost[:, 1]
    solve = Ilp(backend=backend)._checked_backend()
    optimum = least_peak(problem) / layer.unit
    copies = np.ones(6, dtype=int)
    at, below = (Cover.of(copies, 2, weight, layer.speed, optimum * s) for s in (1, 1 - 1e-6))
    found = solve(at.model, budget=1, gap=0, seed=0).values
    assert layer.times(at.holds(found)).max() == pytest.approx(optimum)
    empty = below.model.lower.size == 0
    assert empty or solve(below.model, budget=1, gap=0, seed=0).bound == np.inf


def test_all_copies_are_tried():
    """As many ways to share out the slots are listed as are counted, each once, the first first."""
    problem = BANK["two ranks"].replace(num_ranks=3)
    layer = Layer.of(problem, 0)
    start = layer.holds(lb.solve(problem, "greedy").physical_to_logical[0])
    every = [copies.tolist() for copies in nearby_copies(layer, start.sum(axis=1), 9.0)]
    numbers = itertools.product(range(1, 4), repeat=5)
    assert sorted(every) == [list(copies) for copies in numbers if sum(copies) == 9]
    assert every[0] == start.sum(axis=1).tolist()
    assert count_copies(layer, 9.0) == len(every)


def test_hint_satisfies_the_exact_model():
    """The start is feasible, ordered ranks, tied experts and all."""
    for problem in (*BANK.values(), JOINT, lognormal()):
        layer = Layer.of(problem, 0)
        held = layer.holds(lb.solve(problem, "greedy").physical_to_logical[0])
        model = Exact.of(layer, held, 0.0).model
        entries = model.coefficient * model.hint[model.column]
        total = np.add.reduceat(entries, model.row_start[:-1])
        assert (model.row_lower <= total).all()
        assert (total <= model.row_upper).all()
        assert (model.lower <= model.hint).all()
        assert (model.hint <= model.upper).all()


def test_seconds_go_on_with_the_last_slope():
    """Between the points the cost is linear, beyond them it keeps its slope."""
    cost = np.array([[0, 2], [10, 2], [20, 5]], dtype=float)
    np.testing.assert_allclose(
        seconds(cost, np.array([0, 5, 10, 15, 20, 40])), [2, 2, 2, 3.5, 5, 11]
    )


@lb.testing.parametrize_with_checks([Ilp(budget=0.1), Ilp(backend="highs", budget=0.1)])
def test_conformance(solver, check):
    """Both back ends pass every check, even with little to spend."""
    check(solver)
