"""Scenarios of the next window, drawn around a forecast or from past windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.similar import Similar
from lb.problem import Problem

Array = NDArray[np.float64]

#: Added to every load before its logarithm is taken, as a part of the layer's mean load.
FLOOR = 0.01


@dataclass(frozen=True)
class Outlook:
    """The next window: log-normal around a guess, or around a past window that comes again.

    Parameters
    ----------
    median
        [layers, experts] load, in units of the layer's mean expert.
    spread
        [steps, layers] root mean square of the logarithm of what came over what was guessed, for
        each step from one window to the next; as likely as each other to come again.
    past
        [windows, layers, experts] loads that were, in the same units.
    """

    median: Array
    spread: Array
    past: Array

    def expected(self, planned: Array) -> Array:
        """Return the guess in tokens [layers, experts], with the layers' totals of ``planned``."""
        scale = planned.mean(axis=1, keepdims=True) / self.median.mean(axis=1, keepdims=True)
        return self.median * scale

    def sample(
        self, layer: int, experts: NDArray[np.int64], normal: Array, recall: float
    ) -> NDArray[np.float32]:
        """Return possible loads [experts, samples] of some experts of a layer.

        Parameters
        ----------
        layer, experts
            Which experts; [experts] ids.
        normal
            [experts, samples] standard normal deviates.
        recall
            Part of the samples, spread evenly over them, that are past windows in turn, off by as
            little as the calmest step was. There are none where there is but one window.
        """
        number = np.arange(normal.shape[1])
        center = np.repeat(self.median[layer, experts][:, None], number.size, axis=1)
        # Steps of the past in turn, each as likely as the others.
        off = self.spread[number % len(self.spread), layer]
        if len(self.past) > 1:
            # Samples at which the running number of recalled windows rises: evenly spread.
            again = np.flatnonzero(np.diff(np.floor(recall * np.arange(number.size + 1))) > 0)
            window = np.arange(again.size) % len(self.past)
            center[:, again] = self.past[window, layer][:, experts].T
            off[again] = self.spread[:, layer].min()
        return np.asarray(center * np.exp(off * normal), dtype=np.float32)


def outlook(problem: Problem, spread: float | None, unknown_spread: float) -> Outlook:
    """Return the outlook on the next window that the problem's windows give.

    The logarithm of an expert's load, relative to its layer, is guessed from the last window and
    from the mean of those windows that resemble it (:class:`lb.forecasters.similar.Similar`), with
    two weights fitted by least squares to all steps from one window to the next, all layers and
    experts together: a drifting load returns to its mean, a noisy one too. How far each step was
    off is what the next one may be off by: small where traffic was calm, large where it shifted.

    Parameters
    ----------
    problem
        Its windows; its ``forecast``, where given, takes the place of the guess.
    spread
        Standard deviation to use instead of the measured ones.
    unknown_spread
        Standard deviation where a single window says nothing of it.
    """
    logs = _logs(problem.load)
    guess, missed = logs[-1], np.full((1, problem.num_layers), unknown_spread)
    if problem.num_windows > 1:
        # What the forecaster would have said at each window, from the windows up to it.
        alike = _logs(np.stack([Similar()(problem.load[: end + 1]) for end in range(len(logs))]))
        weights = _least_squares(logs[:-1], alike[:-1], logs[1:])
        error = logs[1:] - weights[0] * logs[:-1] - weights[1] * alike[:-1]
        guess = weights[0] * logs[-1] + weights[1] * alike[-1]
        missed = np.sqrt(np.square(error).mean(axis=2))
    median = np.exp(guess)
    if problem.forecast is not None:
        mean = problem.forecast.mean(axis=1, keepdims=True)
        ones = np.ones_like(problem.forecast)
        median = np.divide(problem.forecast, mean, out=ones, where=mean > 0)
    if spread is not None:
        missed = np.full((1, problem.num_layers), spread)
    return Outlook(median, missed, np.exp(logs))


def _logs(load: Array) -> Array:
    """Return [windows, layers, experts] logarithms, the mean of each layer taken away."""
    scale = load.mean(axis=2, keepdims=True)
    relative = np.divide(load, scale, out=np.ones_like(load), where=scale > 0)
    logs: Array = np.log(relative + FLOOR)
    return logs - logs.mean(axis=2, keepdims=True)


def _least_squares(last: Array, alike: Array, following: Array) -> tuple[float, float]:
    """Return the two weights, in [0, 1] and adding up to at most 1; (1, 0) without any variation.

    The first step is left out where there are others: there the last window is all there is.
    """
    first = 1 if len(last) > 1 else 0
    a, b, y = (part[first:].ravel() for part in (last, alike, following))
    best = (1.0, 0.0)
    best_error = np.inf
    total = np.array([[a @ a, a @ b], [a @ b, b @ b]])
    wanted = np.array([a @ y, b @ y])
    # Each of the two alone, then both if they differ enough to tell them apart.
    candidates = [_slope(total[0, 0], wanted[0]), (0.0, _slope(total[1, 1], wanted[1])[0])]
    determinant = total[0, 0] * total[1, 1] - total[0, 1] ** 2
    if determinant > 1e-9 * total[0, 0] * total[1, 1]:
        both = np.linalg.solve(total, wanted)
        candidates.append((float(both[0]), float(both[1])))
    for weights in candidates:
        pair = np.array(weights)
        error = pair @ total @ pair - 2 * pair @ wanted
        if (pair >= 0).all() and pair.sum() <= 1.0 + 1e-9 and error < best_error:
            best, best_error = weights, float(error)
    return best


def _slope(square: float, product: float) -> tuple[float, float]:
    return (min(1.0, max(0.0, product / square)) if square > 0 else 1.0, 0.0)
