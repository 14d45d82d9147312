"""What a balancer may be told of the machine: seconds of an expert's tokens, price of a move."""

import numpy as np
from numpy.typing import NDArray

from evaluation.step.executor import StepExecutor
from hardware import Operators
from hardware.kernels import roofline

Array = NDArray[np.float64]

#: Points at which an expert's cost is taken: 0, 1 and powers of this up to the most tokens.
STEP = 1.25


def expert_cost(operators: Operators, window_steps: int, most_tokens: float) -> Array:
    """Return the convex cost of a replica's tokens in a window, for :class:`lb.Problem`.

    An expert alone on its rank takes, each step, the roofline of its memory traffic and its matrix
    products (:meth:`hardware.Operators.expert_memory_s`, ``expert_compute_s``); a window spreads
    its tokens evenly over its steps. What is convex in it is kept: the largest convex function
    below, at 0 tokens the price of reading the weights, which every expert of a rank costs alike.

    Parameters
    ----------
    operators
        Of the device and the model.
    window_steps
        Steps of a window.
    most_tokens
        Tokens of a window up to which the points go.

    Returns
    -------
    ndarray
        [points, 2] tokens in a window, seconds in a window.
    """
    most = max(2.0, most_tokens / window_steps)
    count = int(np.ceil(np.log(most) / np.log(STEP)))
    tokens = np.concatenate([[0.0], STEP ** np.arange(count + 1)])
    seconds = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    seconds[0] = seconds[1]  # below a token a step, weights are still read now and then
    hull = _lower_hull(tokens, seconds)
    return np.stack([tokens[hull], seconds[hull]], axis=1) * window_steps


def _lower_hull(x: Array, y: Array) -> list[int]:
    """Return the points on the lower convex hull, left to right (Andrew 1979)."""
    hull: list[int] = []
    for point in range(len(x)):
        while len(hull) > 1:
            one, two = hull[-2], hull[-1]
            rise, run = y[point] - y[one], x[point] - x[one]
            if (y[two] - y[one]) * run < rise * (x[two] - x[one]):
                break  # the last point lies below the line to the new one
            hull.pop()
        hull.append(point)
    return hull


def seconds_per_token(executor: StepExecutor, load: Array, num_ranks: int) -> float:
    """Return what one more token on every rank adds to a layer's step, in seconds.

    The difference quotient of the ideal step (:meth:`StepExecutor.ideal`) between this load and a
    tenth more, attention left out: it does not depend on where experts are.

    Parameters
    ----------
    load
        [layers, experts] tokens of one step.
    """
    extra = 0.1 * float(load.sum(axis=1).mean()) / num_ranks
    if extra == 0.0:
        return 0.0
    tokens = 1  # attention is the same in both, whatever it is
    more = executor.ideal(1.1 * load, num_ranks, tokens).layers.mean()
    return float(more - executor.ideal(load, num_ranks, tokens).layers.mean()) / extra


def move_price(
    executor: StepExecutor,
    load: Array,
    num_ranks: int,
    migration_bytes_per_s: float,
    hold_steps: int,
    objective: str,
) -> float:
    """Return the price of one received expert, in the unit of the objective in a window.

    Ranks receive at the same time, so that an expert more costs the engine a share of the time that
    one rank takes to receive it, one over the number of ranks where moves spread evenly (an
    assumption). A window is held for ``hold_steps`` engine steps of each recorded one, and its gain
    so many times what it is in the window.

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
    hold_steps
        Engine steps that each recorded step stands for.
    objective
        "tokens" or "seconds", of :class:`lb.Problem`.
    """
    seconds = executor.expert_bytes / migration_bytes_per_s / num_ranks / hold_steps
    if objective == "seconds":
        return seconds
    each = seconds_per_token(executor, load, num_ranks)
    return seconds / each if each > 0 else 0.0
