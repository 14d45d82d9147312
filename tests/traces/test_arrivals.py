"""Laws of arrival have the rate and the bursts that they say."""

import numpy as np
import pytest

import traces
from traces import RequestTrace
from traces.arrivals import DiurnalArrivals, GammaArrivals, PoissonArrivals, ReplayArrivals

MANY = 100_000


def test_poisson_gaps_are_exponential():
    """Mean, deviation, and the share of gaps above the mean, within four standard errors."""
    gaps = np.diff(PoissonArrivals(rate=20.0, seed=1)(MANY), prepend=0.0)
    assert gaps.mean() == pytest.approx(1 / 20, rel=4 / MANY**0.5)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.02)
    share = np.exp(-1.0)
    error = 4 * (share * (1 - share) / MANY) ** 0.5
    assert (gaps > 1 / 20).mean() == pytest.approx(share, abs=error)
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 4 / MANY**0.5


def test_poisson_counts_have_their_mean_as_variance():
    """In windows of a second."""
    times = PoissonArrivals(rate=20.0, seed=2)(MANY)
    counts = np.bincount(times.astype(int))[:-1]
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("cv", [0.3, 1.0, 2.0, 4.0])
def test_gamma_gaps_have_their_cv(cv):
    """Clustered above 1, regular below."""
    gaps = np.diff(GammaArrivals(5.0, cv, seed=3)(MANY), prepend=0.0)
    assert gaps.mean() == pytest.approx(0.2, rel=4 * cv / MANY**0.5)
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.03)


def test_poisson_is_gamma_with_cv_one():
    """One law under two names."""
    np.testing.assert_array_equal(PoissonArrivals(3.0, 7)(50), GammaArrivals(3.0, 1.0, 7)(50))


@pytest.mark.parametrize("cv", [1.0, 2.0])
def test_diurnal_rate_follows_the_wave(cv):
    """Counts of every hour of day against the integral of the rate."""
    law = DiurnalArrivals(rate=2.0, amplitude=0.8, peak_s=50_000.0, cv=cv, seed=4)
    times = law(2 * 86_400 * 6)
    assert times[-1] > 5 * 86_400
    times = times[times < 5 * 86_400]
    counts = np.histogram(times % 86_400, bins=24, range=(0, 86_400))[0]
    turn = 2 * np.pi / 86_400
    edges = np.arange(25) * 3600.0
    integral = 2.0 * (edges + 0.8 / turn * np.sin(turn * (edges - 50_000)))
    expected = np.diff(integral) * 5
    assert (np.abs(counts - expected) < 5 * cv * expected**0.5).all()


def test_without_a_wave_it_is_gamma():
    """Amplitude 0 leaves the arrivals where they are."""
    np.testing.assert_allclose(
        DiurnalArrivals(2.0, amplitude=0.0, cv=2.0, seed=5)(500), GammaArrivals(2.0, 2.0, 5)(500)
    )


def test_a_full_wave_has_a_silent_hour():
    """Amplitude 1 stops at the lowest point, and times still rise."""
    times = DiurnalArrivals(1.0, amplitude=1.0, period_s=100.0, peak_s=50.0, seed=6)(20_000)
    assert (np.diff(times) >= 0).all()
    phase = times % 100
    assert ((phase < 1) | (phase > 99)).mean() < 1e-3


def test_replay_is_the_recording():
    """From 0 on, again a mean gap later, faster where wanted."""
    trace = RequestTrace([10.0, 11.0, 14.0], [1, 1, 1], [1, 1, 1])
    np.testing.assert_array_equal(ReplayArrivals(trace)(5), [0.0, 1.0, 4.0, 6.0, 7.0])
    np.testing.assert_array_equal(ReplayArrivals(trace, rate=1.0)(3), [0.0, 0.5, 2.0])
    recorded = traces.load("azure-2023-conv")
    faster = ReplayArrivals(recorded, rate=50.0)(recorded.num_requests)
    gaps = np.diff(recorded.arrival_s), np.diff(faster)
    assert (len(faster) - 1) / faster[-1] == pytest.approx(50.0)
    assert gaps[1].std() / gaps[1].mean() == pytest.approx(gaps[0].std() / gaps[0].mean())


@pytest.mark.parametrize(
    "law", [PoissonArrivals(3.0), GammaArrivals(3.0, 2.0), DiurnalArrivals(3.0, cv=0.5)]
)
def test_seeds_decide(law):
    """Equal seeds give equal times, others others; all are fit for a trace."""
    np.testing.assert_array_equal(law(100), law(100))
    assert (type(law)(**{**vars(law), "seed": 1})(100) != law(100)).all()
    assert RequestTrace(law(100), np.ones(100, int), np.ones(100, int)).num_requests == 100


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (PoissonArrivals(0.0), r"rate = 0\.0 is outside 0 < rate < infinity"),
        (PoissonArrivals(float("nan")), "rate = nan"),
        (GammaArrivals(1.0, -1.0), r"cv = -1\.0 is outside"),
        (DiurnalArrivals(1.0, amplitude=1.1), r"amplitude = 1\.1 is outside 0 <= amplitude <= 1"),
        (DiurnalArrivals(1.0, period_s=0.0), r"period_s = 0\.0"),
        (DiurnalArrivals(1.0, peak_s=float("inf")), "peak_s = inf is not finite"),
        (ReplayArrivals(RequestTrace([0.0, 1.0], [1, 1], [1, 1]), -2.0), r"rate = -2\.0"),
        (ReplayArrivals(RequestTrace([1.0], [1], [1])), "arrive at once"),
    ],
)
def test_wrong_parameters_are_refused(law, text):
    """By the call; the constructor only stores."""
    with pytest.raises(ValueError, match=text):
        law(3)


def test_wrong_numbers_of_requests():
    """At least one, and whole."""
    for law in (PoissonArrivals(1.0), DiurnalArrivals(1.0)):
        with pytest.raises(ValueError, match="requests = 0 < 1; ask for at least one"):
            law(0)
        with pytest.raises(ValueError, match=r"requests = 1\.5 is not an integer"):
            law(1.5)
