"""Prices for solvers: seconds of an expert's tokens, and the price of a move."""

import numpy as np
from numpy.typing import NDArray

from evaluation.step.executor import StepExecutor
from hardware import Operators
from hardware.kernels import roofline

Array = NDArray[np.float64]

#: An expert's cost is computed at 0, 1 and powers of this ratio, up to the largest token count.
POINT_RATIO = 1.25


def expert_cost(operators: Operators, window_steps: int, most_tokens: float) -> Array:
    """Return the convex cost of a replica's tokens in a window, for :class:`lb.Problem`.

    In each step an expert takes the roofline of its memory traffic and its matrix products
    (:meth:`hardware.Operators.expert_memory_s`, ``expert_compute_s``), as if it were alone on its
    rank. The tokens of a window are spread evenly over its steps. The cost is the largest convex
    function below these seconds. At 0 tokens it is the time to read the weights, which every expert
    of a rank costs.

    Parameters
    ----------
    operators
        Kernel prices of the device and the model.
    window_steps
        Steps of a window.
    most_tokens
        Largest number of tokens in a window.

    Returns
    -------
    ndarray
        [points, 2] tokens in a window, seconds in a window.
    """
    most = max(2.0, most_tokens / window_steps)
    count = int(np.ceil(np.log(most) / np.log(POINT_RATIO)))
    tokens = np.concatenate([[0.0], POINT_RATIO ** np.arange(count + 1)])
    seconds = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    # With less than one token per step, some steps still read the weights.
    seconds[0] = seconds[1]
    hull = _lower_hull(tokens, seconds)
    return np.stack([tokens[hull], seconds[hull]], axis=1) * window_steps


def _lower_hull(x: Array, y: Array) -> list[int]:
    """Return the points on the lower convex hull, left to right (Andrew 1979)."""
    hull: list[int] = []
    for point in range(len(x)):
        while len(hull) > 1:
            first, last = hull[-2], hull[-1]
            rise, run = y[point] - y[first], x[point] - x[first]
            # Compare slopes by cross-multiplication: `last` stays on the hull if it lies below the
            # line from `first` to the new point.
            if (y[last] - y[first]) * run < rise * (x[last] - x[first]):
                break
            hull.pop()
        hull.append(point)
    return hull


def seconds_per_token(executor: StepExecutor, load: Array, num_ranks: int) -> float:
    """Return the seconds that one more token on every rank adds to a step of one layer.

    This is the difference quotient of the ideal step (:meth:`StepExecutor.ideal`) between this load
    and a tenth more. Attention is left out: it does not depend on the placement.

    Parameters
    ----------
    load
        [layers, experts] tokens of one step.
    """
    extra = 0.1 * float(load.sum(axis=1).mean()) / num_ranks
    if extra == 0.0:
        return 0.0
    tokens = 1  # Attention has the same price in both steps, so that the difference has none.
    more = executor.ideal(1.1 * load, num_ranks, tokens).layers.mean()
    return float(more - executor.ideal(load, num_ranks, tokens).layers.mean()) / extra


def move_price(
    executor: StepExecutor,
    load: Array,
    num_ranks: int,
    migration_bytes_per_s: float,
    objective: str,
    token_price: float | None = None,
) -> float:
    """Return the price of one received expert, in the unit of the objective in one window.

    Ranks receive at the same time. If moves spread evenly over the ranks, which we assume, one more
    expert pauses the engine for the time of one transfer over the number of ranks. In tokens, it is
    worth as many tokens of the whole window as take this time.

    Parameters
    ----------
    executor
        Prices steps.
    load
        [layers, experts] tokens of one step, typical of the window.
    num_ranks
        Ranks of the EP group.
    migration_bytes_per_s
        Rate at which one rank receives weights.
    objective
        "tokens" or "seconds", of :class:`lb.Problem`.
    token_price
        Seconds of one more token on every rank; by default that of :func:`seconds_per_token`.
    """
    seconds = executor.expert_bytes / migration_bytes_per_s / num_ranks
    if objective == "seconds":
        return seconds
    token_s = seconds_per_token(executor, load, num_ranks) if token_price is None else token_price
    return seconds / token_s if token_s > 0 else 0.0
