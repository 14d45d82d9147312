"""The learned forecaster and the solver that plans by it."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import lb
import lb.testing
from lb.forecasters.learned import LearnedForecaster
from lb.solvers.learned import Learned

RHO, SIGMA = 0.9, 0.7


def drift(windows, layers=4, experts=128, seed=0):
    """Return loads whose logs are an autoregressive process: the deviation of a step is known."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(layers, experts))
    rows = []
    for _ in range(windows):
        rows.append(1000 * np.exp(SIGMA * x))
        x = RHO * x + np.sqrt(1 - RHO**2) * generator.normal(size=x.shape)
    return np.array(rows)


def calm(windows, layers=2, experts=64, seed=3):
    """Return noisy counts of a traffic that does not change."""
    generator = np.random.default_rng(seed)
    mean = 200 * np.exp(generator.normal(size=(layers, experts)))
    return generator.poisson(mean, size=(windows, layers, experts)).astype(float), mean


def error(forecast, truth):
    """Return the mean absolute error over the load."""
    return np.abs(forecast - truth).sum() / truth.sum()


def test_it_beats_last_on_drift_and_on_calm_noise():
    """Both of what it can learn, from eight windows: going back to the mean, and averaging."""
    forecaster = LearnedForecaster()
    moving = drift(30)
    pairs = [(moving[t - 8 : t], moving[t]) for t in range(8, 30)]
    learned = np.mean([error(forecaster(past), after) for past, after in pairs])
    last = np.mean([error(past[-1], after) for past, after in pairs])
    assert learned < 0.98 * last
    noisy, mean = calm(8)
    assert error(forecaster(noisy), mean) < 0.6 * error(noisy[-1], mean)


def test_one_shift_does_not_mislead_it():
    """Calm, a shift, calm: it does not go back to what was before the shift."""
    before, _ = calm(4, seed=3)
    after, mean = calm(4, seed=4)
    past = np.concatenate([before, after])
    assert error(LearnedForecaster()(past), mean) < error(past[-1], mean)


def test_spread_is_the_deviation_of_a_step():
    """On the known law, within a tenth, and errors fall within it two times in three."""
    load = drift(12)
    expected, spread = LearnedForecaster().forecast(load[:-1])
    step = SIGMA * np.sqrt(1 - RHO**2)
    hot = load[-2] > np.median(load[-2])  # the floor damps the cold ones
    assert np.median(spread[hot]) == pytest.approx(step, rel=0.1)
    wrong = np.abs(np.log(load[-1] / expected))[hot]
    assert (wrong < spread[hot]).mean() == pytest.approx(0.68, abs=0.1)


def test_spread_is_never_beyond_what_was_seen():
    """A drift larger than any before gives no spread larger than any error before."""
    past, _ = calm(8)
    past[-1] = past[-1][:, ::-1]
    _, spread = LearnedForecaster().forecast(past)
    assert np.isfinite(spread).all()
    assert spread.max() < 3


@pytest.mark.parametrize("windows", [1, 2])
def test_too_few_windows_answer_like_similar(windows):
    """With nothing to learn from, scikit-learn is not needed; the spread is the change seen."""
    load = drift(windows)
    expected, spread = LearnedForecaster().forecast(load)
    np.testing.assert_array_equal(expected, lb.make_forecaster("similar")(load))
    assert spread.shape == expected.shape
    assert (spread == 0).all() == (windows == 1)


def test_fit_returns_a_new_forecaster_that_remembers():
    """The old one is as it was; the new one shrinks a single window by what it learned."""
    old = LearnedForecaster()
    new = old.fit(drift(30))
    assert old.fitted is None
    one = drift(1, seed=9)
    hot = one[0] > np.median(one[0])
    slope = np.polyfit(np.log(one[0][hot]), np.log(new(one)[hot]), 1)[0]
    assert slope == pytest.approx(RHO, abs=0.05)
    np.testing.assert_array_equal(old(one), one[0])


def test_fit_takes_arrays_and_traces():
    """Steps are gathered into windows, the same from an array as block by block from a trace."""

    class Block:
        def __init__(self, counts):
            self.counts = counts

    class Trace:
        def blocks(self):
            yield Block(steps[:5])
            yield Block(steps[5:])

    steps = np.floor(drift(13)).astype(np.int32)
    load = drift(4, seed=2)
    by_array = LearnedForecaster().fit(steps, window_steps=2)(load)
    by_trace = LearnedForecaster().fit(Trace(), window_steps=2)(load)
    by_windows = LearnedForecaster().fit(steps[:12].reshape(6, 2, 4, 128).sum(axis=1))(load)
    np.testing.assert_array_equal(by_array, by_trace)
    np.testing.assert_array_equal(by_array, by_windows)


def test_of_a_long_history_windows_are_spread_evenly(monkeypatch):
    """A tenth of the samples teaches nearly the same, and the last window is among them."""
    load = drift(201)
    whole = LearnedForecaster().fit(load)
    monkeypatch.setattr("lb.forecasters.learned.MOST_SAMPLES", 20 * load[0].size)
    part = LearnedForecaster().fit(load)
    assert (part.fitted.change.coef_ != whole.fitted.change.coef_).any()
    np.testing.assert_allclose(part.fitted.change.coef_, whole.fitted.change.coef_, atol=0.05)
    other = load.copy()
    other[-1] = other[-1][:, ::-1]
    changed = LearnedForecaster().fit(other).fitted
    assert changed.widest > 2 * part.fitted.widest


def test_fit_needs_three_windows():
    """Fewer are refused with their number."""
    with pytest.raises(ValueError, match="has 2 windows of 2 steps < 3; give a longer one"):
        LearnedForecaster().fit(drift(5), window_steps=2)


def test_memory_bounds_what_a_fitted_one_looks_at():
    """Windows older than the memory change nothing."""
    fitted = LearnedForecaster(memory=3).fit(drift(10))
    load = drift(8, seed=5)
    np.testing.assert_array_equal(fitted(load), fitted(load[-3:]))
    assert (fitted(load) != fitted(load[-2:])).any()


def test_fitted_conforms_but_for_constant_histories():
    """What was learned elsewhere goes on shrinking where nothing moves, by design."""
    fitted = LearnedForecaster().fit(drift(10))
    known = {"check_constant_history": "goes back to the mean as it learned to"}
    outcome = lb.testing.check_forecaster(fitted, known_failures=known)
    assert "passed" in outcome.values()


def test_the_solver_plans_for_the_forecast():
    """Its placement is the planner's for the forecaster's load, not for the mean."""
    load = drift(6)
    problem = lb.Problem(load, num_ranks=8, slots_per_rank=18)
    expected = problem.replace(forecast=LearnedForecaster()(load))
    found = lb.solve(problem, "learned").physical_to_logical
    np.testing.assert_array_equal(found, lb.solve(expected, "robust").physical_to_logical)
    assert (found != lb.solve(problem, "local-search").physical_to_logical).any()


def test_the_solver_fits_and_stays_as_it_was():
    """`fit` returns a new solver, which pickles and answers the same."""
    solver = lb.make("learned")
    fitted = solver.fit(drift(10))
    assert solver.forecaster.fitted is None
    problem = lb.Problem(drift(2, seed=4), num_ranks=8, slots_per_rank=18)
    answer = fitted(problem).physical_to_logical
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored(problem).physical_to_logical, answer)
    assert (answer != solver(problem).physical_to_logical).any()


def test_a_fitted_solver_conforms():
    """It keeps what it learned and nothing of its problems; the next window is not this one.

    The planted optima are still found by swaps, but not by greedy, when loads are shrunk.
    """
    lb.testing.check_solver(Learned().fit(drift(10)))
    known = {"check_planted_optimum": "plans for what the load will be, not for what it was"}
    lb.testing.check_solver(Learned(planner="greedy").fit(drift(10)), known_failures=known)


def test_scenarios_are_drawn_around_the_forecast(monkeypatch):
    """As many as asked, each with the tokens of the forecast, as wide as the spread; by seed."""
    shown = []

    def spy(problem):
        shown.append(problem)
        return lb.solve(problem, "greedy")

    monkeypatch.setitem(lb.SOLVERS._targets, "spy", spy)
    load = drift(8)
    problem = lb.Problem(load, num_ranks=8, slots_per_rank=18)
    expected, spread = LearnedForecaster().forecast(load)
    for seed in (0, 0, 1):
        Learned("spy", scenarios=200, seed=seed)(problem)
    one, same, other = shown
    assert one.load.shape == (200, *expected.shape)
    np.testing.assert_array_equal(one.forecast, expected)
    np.testing.assert_array_equal(one.load, same.load)
    assert (one.load != other.load).any()
    np.testing.assert_allclose(one.load.sum(axis=2), np.tile(expected.sum(axis=1), (200, 1)))
    logs = np.log(one.load).std(axis=0)
    assert np.median(logs / spread) == pytest.approx(1, abs=0.1)


def test_demands_are_the_planners():
    """It honours what the planner honours, and solve() refuses the rest."""
    problem = lb.Problem(drift(4), num_ranks=8, slots_per_rank=18)
    slow = problem.replace(rank_speed=np.linspace(0.5, 1, 8))
    assert Learned().honours == {"rank_speed"}
    assert lb.solve(slow, "learned").num_ranks == 8
    with pytest.raises(ValueError, match="does not honour rank_speed"):
        lb.solve(slow, "learned", planner="eplb")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"planner": "learned"}, "would ask itself"),
        ({"planner": "gredy"}, "unknown solver 'gredy': did you mean 'greedy'"),
        ({"scenarios": -1}, "scenarios = -1 < 0"),
        ({"forecaster": LearnedForecaster(penalty=-1.0)}, "penalty = -1.0 is outside"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    """When it is asked, with value and how to fix it."""
    with pytest.raises(ValueError, match=message):
        Learned(**params)(lb.Problem(drift(4), num_ranks=8, slots_per_rank=18))


def test_without_scikit_learn_the_extra_is_named():
    """Importing and few windows do without; learning says what to install."""
    code = (
        "import sys; sys.modules['sklearn'] = None; sys.modules['sklearn.linear_model'] = None\n"
        "import lb, numpy as np\n"
        "learned = lb.make_forecaster('learned')\n"
        "load = np.random.default_rng(0).random((3, 1, 8))\n"
        "learned(load[:2])\n"
        "try:\n    learned(load)\nexcept ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "learning needs scikit-learn: pip install 'podlab[learn]'"
