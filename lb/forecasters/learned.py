"""Learned: two small regressions forecast log loads and the error of that forecast."""

import importlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from lb.forecasters.history import history_of
from lb.forecasters.log_load import floor_of, load_of_logs, log_load
from lb.forecasters.similar import Similar, squared_distance
from lb.forecasters.windows import checked_windows

Array = NDArray[np.float64]

#: Fewer windows give at most one change to learn from.
FEWEST_WINDOWS = 3
#: Experts times layers times windows to learn from: more tell two regressions nothing new.
MOST_SAMPLES = 2_000_000
#: Mean of the logarithm of a squared standard normal.
LOG_CHI_SQUARE = -(np.euler_gamma + np.log(2.0))


@dataclass(frozen=True)
class Regressions:
    """Fitted scikit-learn estimators and the numbers that go with them.

    Parameters
    ----------
    change
        Change of a log load to the next window, from level and smoothing.
    spread
        Logarithm of the squared error of that, from log load, drift and drift of the neighbours.
    drift_range
        Lowest, mean and highest log drift seen: the spread is not extrapolated beyond, and the mean
        stands for the drift where there is but one window.
    widest
        Largest root mean square error of a layer in one window: no spread is above it.
    """

    change: Any
    spread: Any
    drift_range: tuple[float, float, float]
    widest: float


@dataclass(frozen=True)
class LearnedForecaster:
    """Learn from past windows how log loads change, pooled over all experts and layers.

    The change of an expert's log load (less the layer's mean) to the next window is a ridge
    regression on its *level*, the log load itself, by which loads go back to the mean, and on its
    *smoothing*, the log of the :class:`~lb.forecasters.similar.Similar` forecast less the level,
    by which noise is averaged away. Samples weigh the square root of their load, as heavy experts
    matter, over the square of their layer's mean squared change, so that one shift of the traffic
    does not outvote calm windows (chosen on the bundled traces). A second ridge regression on
    the log squared errors says how far the first may be off: from the log load, the drift of the
    layer in the last step, and that of the neighbouring layers.

    Neighbours inform the spread alone: expert ids mean nothing across layers, and as interactions
    in the first regression their drift made next windows no better. The phase of a trace is not
    used, since a problem does not state one: fit one forecaster for each phase.

    Without :meth:`fit` it learns afresh at each call from the windows that it is given; below three
    of them it answers like ``similar``, and with one window so like ``last``.

    Parameters
    ----------
    memory
        Windows that one forecast looks back, at least 1.
    penalty
        Of both ridge regressions, positive.
    fitted
        What :meth:`fit` learned.
    """

    memory: int = 8
    penalty: float = 1.0
    fitted: Regressions | None = None

    def __call__(self, load: NDArray[Any]) -> Array:
        """Return [layers, experts] load of the next window; errors as :meth:`forecast`."""
        return self.forecast(load)[0]

    def forecast(self, load: NDArray[Any]) -> tuple[Array, Array]:
        """Return the load of the next window, and the standard deviation of its logarithm.

        Parameters
        ----------
        load
            [windows, layers, experts], oldest first.

        Returns
        -------
        tuple
            Twice [layers, experts]. Where it answers like ``similar`` the deviation is the root
            mean square change of the layer's log loads, 0 with one window.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the load is not [windows, layers, experts],
            finite and not negative.
        ImportError
            If scikit-learn is not there.
        """
        self._check()
        windows = checked_windows(load)
        if self.fitted is None and len(windows) < FEWEST_WINDOWS:
            return _like_similar(windows)
        learned = self.fitted or self._learn(windows)
        seen = windows[-self.memory :]
        level, floor, features = _features(seen)
        clues = _clues(seen, level, learned.drift_range)
        change = learned.change.predict(features.reshape(-1, features.shape[-1]))
        total = seen[-1].sum(axis=1, keepdims=True)
        expected = load_of_logs(level + change.reshape(level.shape), floor, total)
        # The regression says the mean of the logarithm, which for a normal error is below the
        # logarithm of the variance by this constant.
        squares = learned.spread.predict(clues.reshape(-1, clues.shape[-1])) - LOG_CHI_SQUARE
        widest = 2 * np.log(max(learned.widest, 1e-12))
        return expected, np.exp(np.minimum(squares, widest) / 2).reshape(level.shape)

    def fit(self, history: Any, window_steps: int = 1) -> "LearnedForecaster":
        """Return a new forecaster that has learned from ``history``.

        Parameters
        ----------
        history
            [windows, layers, experts] loads, oldest first, or a trace: anything whose ``blocks()``
            have ``counts`` [steps, layers, experts]. Of a very long one, windows spread evenly over
            it are learned from, two million samples.
        window_steps
            Steps of the history that make one window.

        Raises
        ------
        ValueError
            If the history has fewer than three whole windows, or as for :meth:`forecast`.
        ImportError
            If scikit-learn is not there.
        """
        self._check()
        windows = history_of(history, window_steps)
        if len(windows) < FEWEST_WINDOWS:
            raise ValueError(
                f"the history has {len(windows)} windows of {window_steps} steps < "
                f"{FEWEST_WINDOWS}; give a longer one, or a smaller window_steps"
            )
        return replace(self, fitted=self._learn(windows))

    def _check(self) -> None:
        checked_integer(self.memory, "memory", at_least=1)
        if not 0 < self.penalty < np.inf:
            raise ValueError(f"penalty = {self.penalty} is outside 0 < penalty < infinity")

    def _learn(self, windows: Array) -> Regressions:
        ridge = _ridge()
        drift = np.log(_drift(windows[:-1]))  # nothing follows the last change yet
        seen = (float(drift.min()), float(drift.mean()), float(drift.max()))
        steps = len(windows) - 1
        taken = min(steps, max(1, MOST_SAMPLES // windows[0].size))
        # A history that is too long is thinned out evenly.
        chosen = np.rint(np.linspace(1, steps, taken)).astype(np.int64)
        samples = [self._sample(windows, now, seen) for now in chosen.tolist()]
        features, clues, change, weight = (np.stack(part) for part in zip(*samples, strict=True))
        weight /= weight.mean()
        x, y = features.reshape(-1, features.shape[-1]), change.ravel()
        first = ridge(alpha=self.penalty, fit_intercept=False).fit(x, y, weight.ravel())
        error = (y - first.predict(x)) ** 2
        second = ridge(alpha=self.penalty).fit(clues.reshape(y.size, -1), np.log(error + 1e-8))
        widest = float(np.sqrt(error.reshape(change.shape).mean(axis=2).max()))
        return Regressions(first, second, seen, widest)

    def _sample(
        self, windows: Array, now: int, drift_range: tuple[float, float, float]
    ) -> tuple[Array, Array, Array, Array]:
        """Return features, clues, change and weight of the step to window ``now``."""
        seen = windows[max(0, now - self.memory) : now]
        level, floor, features = _features(seen)
        clues = _clues(seen, level, drift_range)
        change = log_load(windows[now], floor) - level
        # Heavy experts weigh more; then layers that jumped weigh less.
        weight = np.sqrt(seen[-1] + windows[now]) + 1e-12
        weight /= weight.mean(axis=1, keepdims=True)
        square = (weight * change**2).mean(axis=1, keepdims=True)
        return features, clues, change, weight / (square + 1e-6) ** 2


def _features(seen: Array) -> tuple[Array, Array, Array]:
    """Return level [layers, experts], floor [layers, 1] and features [layers, experts, 2]."""
    floor = floor_of(seen)
    level = log_load(seen[-1], floor)
    smoothing = log_load(Similar()(seen), floor) - level
    return level, floor, np.stack([level, smoothing], axis=-1)


def _clues(seen: Array, level: Array, drift_range: tuple[float, float, float]) -> Array:
    """Return [layers, experts, 3]: log load, log drift of the layer, and of its neighbours."""
    lowest, usual, highest = drift_range
    drift = np.full(len(level), usual)
    if len(seen) > 1:
        drift = np.clip(np.log(_drift(seen[-2:])[0]), lowest, highest)
    # The first and the last layer have one neighbour, which counts twice.
    beside = np.pad(drift, 1, mode="reflect" if len(drift) > 1 else "edge")
    neighbours = (beside[:-2] + beside[2:]) / 2
    by_layer = [np.broadcast_to(part[:, None], level.shape) for part in (drift, neighbours)]
    return np.stack([level, *by_layer], axis=-1)


def _drift(windows: Array) -> Array:
    """Return [windows - 1, layers] squared distances from one window to the next, never 0."""
    root = np.sqrt(windows)
    return squared_distance(root[1:], root[:-1]) + 1e-6


def _like_similar(windows: Array) -> tuple[Array, Array]:
    expected = Similar()(windows)
    if len(windows) == 1:
        return expected, np.zeros_like(expected)
    change = np.diff(log_load(windows, floor_of(windows)), axis=0)
    deviation = np.sqrt((change**2).mean(axis=(0, 2)))
    return expected, np.repeat(deviation[:, None], expected.shape[1], axis=1)


def _ridge() -> Any:
    try:
        return importlib.import_module("sklearn.linear_model").Ridge
    except ImportError:
        raise ImportError("learning needs scikit-learn: pip install 'podlab[learn]'") from None
