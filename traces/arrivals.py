"""Arrival processes: the times at which requests arrive.

Each is called with a number of requests and returns their times, [requests] seconds from 0 on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.request_checks import check_count, check_positive
from traces.requests import RequestTrace

#: Number of requests to their times [requests].
Arrivals = Callable[[int], NDArray[np.float64]]


@dataclass(frozen=True)
class PoissonArrivals:
    """Poisson arrivals: independent exponential gaps.

    Parameters
    ----------
    rate
        Requests a second, on average.
    seed
        Of the generator.

    Examples
    --------
    >>> PoissonArrivals(rate=10.0)(3)
    array([0.06799319, 0.1699529 , 0.17193357])
    """

    rate: float
    seed: int = 0

    def __call__(self, requests: int) -> NDArray[np.float64]:
        """Return the times.

        Raises
        ------
        ValueError
            If ``rate`` or ``requests`` is not positive.
        """
        return GammaArrivals(self.rate, 1.0, self.seed)(requests)


@dataclass(frozen=True)
class GammaArrivals:
    """Arrivals in bursts: independent gaps of a gamma law.

    With ``cv`` 1 they are Poisson, above they cluster, below they keep a distance. This is how
    AlpaServe (arXiv:2302.11665) and BurstGPT (arXiv:2401.17644) make bursts; the
    ``--burstiness`` of ``vllm bench serve`` is the shape, 1 / cv**2.

    Parameters
    ----------
    rate
        Requests a second, on average.
    cv
        Standard deviation of the gaps over their mean.
    seed
        Of the generator.
    """

    rate: float
    cv: float
    seed: int = 0

    def __call__(self, requests: int) -> NDArray[np.float64]:
        """Return the times.

        Raises
        ------
        ValueError
            If a parameter or ``requests`` is not positive.
        """
        check_positive(rate=self.rate, cv=self.cv)
        check_count(requests, "requests")
        shape = self.cv**-2
        gaps = np.random.default_rng(self.seed).gamma(shape, 1 / shape, requests)
        return np.cumsum(gaps) / self.rate


@dataclass(frozen=True)
class DiurnalArrivals:
    """Arrivals whose rate follows a daily wave.

    The rate at time t is ``rate * (1 + amplitude * cos(2 pi (t - peak_s) / period_s))``. Arrivals
    of constant rate are carried over by the inverse of its integral (inversion, as in Cinlar,
    Introduction to Stochastic Processes, 1975, chapter 4): with ``cv`` 1 that is exactly the
    Poisson process of this rate. Daily waves are what BurstGPT (arXiv:2401.17644) and DynamoLLM
    (arXiv:2408.00741) record; that they are cosines, and bursts of a gamma law within them, are
    assumptions of ours.

    Parameters
    ----------
    rate
        Requests a second, on average over a period.
    amplitude
        Of the wave, 0 <= amplitude <= 1; with 1 nothing comes at the lowest point.
    period_s
        Seconds of a wave.
    peak_s
        When the rate is highest.
    cv
        Of the gaps, as in :class:`GammaArrivals`.
    seed
        Of the generator.
    """

    rate: float
    amplitude: float = 0.5
    period_s: float = 86_400.0
    peak_s: float = 43_200.0
    cv: float = 1.0
    seed: int = 0

    def __call__(self, requests: int) -> NDArray[np.float64]:
        """Return the times.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        check_positive(period_s=self.period_s)
        if not 0 <= self.amplitude <= 1:
            raise ValueError(f"amplitude = {self.amplitude} is outside 0 <= amplitude <= 1")
        if not np.isfinite(self.peak_s):
            raise ValueError(f"peak_s = {self.peak_s} is not finite; give seconds")
        even = GammaArrivals(self.rate, self.cv, self.seed)(requests)
        turn = 2 * np.pi / self.period_s
        swing = self.amplitude / turn
        before = np.sin(-turn * self.peak_s)
        # The wave adds to the integral of the rate, and takes from it, at most this much.
        low, high = np.maximum(even - 2 * swing, 0.0), even + 2 * swing
        for _ in range(50):  # 2**-50 of a period
            middle = (low + high) / 2
            late = middle + swing * (np.sin(turn * (middle - self.peak_s)) - before) > even
            low, high = np.where(late, low, middle), np.where(late, middle, high)
        # Rounding must not put an arrival before the one ahead of it.
        return np.maximum.accumulate(low)


@dataclass(frozen=True)
class ReplayArrivals:
    """Arrival times of a recording, at its own or another rate.

    If more requests are asked for than it has, it starts over, a mean gap after its last arrival
    (an assumption of ours).

    Parameters
    ----------
    trace
        The recording; its first arrival becomes 0.
    rate
        Requests a second; that of the recording unless given. Bursts are kept, in proportion.
    """

    trace: RequestTrace
    rate: float | None = None

    def __call__(self, requests: int) -> NDArray[np.float64]:
        """Return the times.

        Raises
        ------
        ValueError
            If ``rate`` or ``requests`` is not positive, or all arrive at once.
        """
        check_count(requests, "requests")
        recorded = self.trace.rate
        rate = recorded if self.rate is None else self.rate
        check_positive(rate=rate)
        # From 0 on; every lap goes on a mean gap after the last arrival.
        times = self.trace.arrival_s - self.trace.arrival_s[0]
        lap, row = np.divmod(np.arange(requests), len(times))
        return (times[row] + lap * (times[-1] + 1 / recorded)) * (recorded / rate)
