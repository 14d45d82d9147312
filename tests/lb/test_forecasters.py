"""What each forecaster promises beyond conformance."""

import numpy as np
import pytest

import lb
from lb.testing import FORECAST_CHECKS

NAMES = (
    "autoregressive",
    "ewma",
    "last",
    "learned",
    "mean",
    "quantile",
    "similar",
    "trend",
)
#: One layer, three experts, three windows: rising, falling, still.
THREE = np.array([[[10.0, 40.0, 5.0]], [[20.0, 30.0, 5.0]], [[30.0, 5.0, 5.0]]])


@pytest.mark.parametrize("check", FORECAST_CHECKS.values(), ids=FORECAST_CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_conformance(name, check):
    """Every registered forecaster passes every check."""
    check(lb.make_forecaster(name))


def test_every_registered_forecaster_is_checked():
    """A new registry line needs a new name in the test above."""
    assert set(lb.available_forecasters()) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("last", {}, [30, 5, 5]),
        ("mean", {}, [20, 25, 5]),
        ("ewma", {"half_life": 1.0}, [(10 + 40 + 120) / 7, (40 + 60 + 20) / 7, 5]),
        ("trend", {}, [40, 0, 5]),  # the falling line would be at -10
        ("quantile", {"level": 1.0}, [30, 40, 5]),
        ("quantile", {"level": 0.75}, [25, 35, 5]),
        ("quantile", {"level": 0.0}, [10, 5, 5]),
    ],
)
def test_three_windows_by_hand(name, params, expected):
    """The formula of each, worked out for three windows."""
    found = lb.make_forecaster(name, **params)(THREE)
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_one_window_is_returned(name):
    """With nothing else known, the next window is this one, to the last digit."""
    np.testing.assert_array_equal(lb.make_forecaster(name)(THREE[:1]), THREE[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("load", "message"),
    [
        (THREE[0], r"load has shape \(1, 3\); give \[windows, layers, experts\]"),
        (np.ones((0, 1, 3)), "no axis of"),
        (-THREE, "load at window 0, layer 0, expert 0 is -10.0; it must be finite and >= 0"),
        (THREE * np.nan, "is nan; it must be finite"),
    ],
)
def test_wrong_windows_are_refused(name, load, message):
    """Shape and place are named."""
    with pytest.raises(ValueError, match=message):
        lb.make_forecaster(name)(load)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("ewma", {"half_life": 0.0}, "half_life = 0.0 is outside 0 < half_life"),
        ("ewma", {"half_life": float("nan")}, "half_life = nan"),
        ("quantile", {"level": 1.5}, "level = 1.5 is outside 0 <= level <= 1"),
        ("similar", {"bandwidth": -1.0}, "bandwidth = -1.0 is outside"),
        ("learned", {"memory": 0}, "memory = 0 < 1"),
        ("learned", {"penalty": 0.0}, "penalty = 0.0 is outside"),
    ],
)
def test_wrong_parameters_are_refused_when_called(name, params, message):
    """The constructor only stores; the call names value and range."""
    forecaster = lb.make_forecaster(name, **params)
    with pytest.raises(ValueError, match=message):
        forecaster(THREE)


def ar1(rho, windows=40, layers=4, experts=256, seed=0):
    """Return loads whose logs are an autoregressive process of deviation 1."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(layers, experts))
    rows = []
    for _ in range(windows):
        rows.append(1000 * np.exp(x))
        x = rho * x + np.sqrt(1 - rho**2) * generator.normal(size=x.shape)
    return np.array(rows)


def test_autoregressive_finds_the_coefficient():
    """Log loads shrink by the rho that made them, within the error of the estimate and floor."""
    load = ar1(0.8)
    ahead = np.log(lb.make_forecaster("autoregressive")(load))
    now = np.log(load[-1])
    hot = now > np.median(now)  # the floor bends the cold ones
    slope = np.polyfit(now[hot], ahead[hot], 1)[0]
    assert slope == pytest.approx(0.8, abs=0.05)


def test_autoregressive_keeps_a_layers_tokens():
    """Shrinking divides the last window's tokens anew, and loses at most what the floor cuts."""
    load = ar1(0.9, windows=6)
    ahead = lb.make_forecaster("autoregressive")(load)
    np.testing.assert_allclose(ahead.sum(axis=1), load[-1].sum(axis=1), rtol=0.01)


def test_autoregressive_is_not_misled_by_one_shift():
    """Nine calm windows and a shift in the middle: the coefficient stays near 1."""
    generator = np.random.default_rng(1)
    domain = np.exp(generator.normal(size=(2, 1, 256)))
    load = np.repeat(domain, 5, axis=0) * np.exp(0.05 * generator.normal(size=(10, 1, 256)))
    ahead = lb.make_forecaster("autoregressive")(load)
    assert np.abs(ahead / load[-1] - 1)[load[-1] > 1].max() < 0.1


def test_similar_forgets_what_was_before_a_shift_and_remembers_a_return():
    """A, A, A, B, B gives B; A, A, A, B, A gives A; noise within A is averaged."""
    generator = np.random.default_rng(2)
    one, other = np.exp(generator.normal(size=(2, 1, 64)))
    noise = np.exp(0.05 * generator.normal(size=(7, 1, 64)))
    similar = lb.make_forecaster("similar")
    shifted = np.array([one, one, one, other, other]) * noise[:5]
    assert np.abs(similar(shifted) / other - 1).max() < 0.25
    back = similar(np.array([one, one, one, one, one, other, one]) * noise)
    assert np.abs(back / one - 1).max() < 0.25
    assert np.abs(back - one).sum() < 0.8 * np.abs(one * noise[-1] - one).sum()


def test_similar_weighs_each_layer_on_its_own():
    """A shift in layer 1 leaves layer 0 averaging."""
    load = np.ones((4, 2, 4))
    load[:, 0, 0] = [1.0, 2.0, 1.0, 2.0]
    load[2:, 1, 0] = 50.0
    weight = lb.make_forecaster("similar").weight(load)
    np.testing.assert_allclose(weight[-1], 1.0)
    np.testing.assert_allclose(weight[:, 0], [np.exp(-1), 1, np.exp(-1), 1])
    np.testing.assert_allclose(weight[:, 1], [0, 0, 1, 1], atol=1e-6)


def test_quantile_is_numpys():
    """Interpolated between windows as numpy.quantile does by default."""
    load = ar1(0.5, windows=7, layers=2, experts=8)
    for level in (0.1, 0.5, 0.9):
        expected = np.quantile(load, level, axis=0)
        np.testing.assert_allclose(lb.make_forecaster("quantile", level=level)(load), expected)


def test_trend_is_the_fitted_line():
    """As numpy.polyfit extrapolates it, held at 0."""
    load = ar1(0.5, windows=5, layers=1, experts=32)
    slope, start = np.polyfit(np.arange(5), load[:, 0], 1)
    expected = np.maximum(start + 5 * slope, 0)
    np.testing.assert_allclose(lb.make_forecaster("trend")(load)[0], expected, atol=1e-8)
    assert (expected == 0).any()


def test_registry_suggests_the_nearest():
    """An unknown name is an error, never a fallback."""
    with pytest.raises(ValueError, match="unknown forecaster 'lst': did you mean 'last'"):
        lb.make_forecaster("lst")
