"""What the next window may look like: a forecast and how far it is off, read from past windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.problem import Problem

Array = NDArray[np.float64]

#: Added to every load before its logarithm is taken, as a part of the layer's mean load.
FLOOR = 0.01


@dataclass(frozen=True)
class Outlook:
    """The next window as a log-normal guess.

    Parameters
    ----------
    median
        [layers, experts] load, in units of the layer's mean expert.
    spread
        [layers] standard deviation of the logarithm of what comes over what was guessed.
    """

    median: Array
    spread: Array

    def expected(self, planned: Array) -> Array:
        """Return the guess in tokens [layers, experts], with the layers' totals of ``planned``."""
        scale = planned.mean(axis=1, keepdims=True) / self.median.mean(axis=1, keepdims=True)
        return self.median * scale

    def sample(self, layer: int, experts: NDArray[np.int64], normal: Array) -> NDArray[np.float32]:
        """Return loads [experts, samples] of some experts of a layer, for normal deviates."""
        guess = self.median[layer][experts, None] * np.exp(self.spread[layer] * normal)
        return np.asarray(guess, dtype=np.float32)


def outlook(problem: Problem, spread: float | None, unknown_spread: float) -> Outlook:
    """Return what the problem's windows say of the next one.

    The logarithm of an expert's load, relative to its layer, is guessed from the last window and
    from the mean over all windows so far, with two weights fitted by least squares to all steps
    from one window to the next, all layers and experts together: a drifting load returns to its
    mean, a noisy one too. The spread of a layer is the root mean square of what the guess missed.

    Parameters
    ----------
    problem
        Its windows; its ``forecast``, where given, takes the place of the guess.
    spread
        Standard deviation to use instead of the measured one.
    unknown_spread
        Standard deviation where a single window says nothing of it.
    """
    scale = problem.load.mean(axis=2, keepdims=True)
    relative = np.divide(problem.load, scale, out=np.ones_like(problem.load), where=scale > 0)
    logs = np.log(relative + FLOOR)
    logs -= logs.mean(axis=2, keepdims=True)
    guess, missed = logs[-1], np.full(problem.num_layers, unknown_spread)
    if problem.num_windows > 1:
        so_far = np.cumsum(logs, axis=0) / np.arange(1, len(logs) + 1)[:, None, None]
        weights = _least_squares(logs[:-1], so_far[:-1], logs[1:])
        error = logs[1:] - weights[0] * logs[:-1] - weights[1] * so_far[:-1]
        guess = weights[0] * logs[-1] + weights[1] * so_far[-1]
        missed = np.sqrt(np.square(error).mean(axis=(0, 2)))
    if problem.forecast is not None:
        mean = problem.forecast.mean(axis=1, keepdims=True)
        median = np.divide(
            problem.forecast, mean, out=np.ones_like(problem.forecast), where=mean > 0
        )
    else:
        median = np.exp(guess)
    if spread is not None:
        missed = np.full(problem.num_layers, spread)
    return Outlook(median, missed)


def _least_squares(last: Array, so_far: Array, following: Array) -> tuple[float, float]:
    """Return the two weights, in [0, 1] and adding up to at most 1; (1, 0) without any variation.

    The first step is left out where there are others: there the last window is the mean so far.
    """
    first = 1 if len(last) > 1 else 0
    a, b, y = (part[first:].ravel() for part in (last, so_far, following))
    best = (1.0, 0.0)
    best_error = np.inf
    total = np.array([[a @ a, a @ b], [a @ b, b @ b]])
    wanted = np.array([a @ y, b @ y])
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
