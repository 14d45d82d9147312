"""Seconds of the steps of a window, all of them priced at once where that is possible."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.replay.replay_window import ReplayWindow
from evaluation.step.executor import StepExecutor
from evaluation.step.step_time import StepTime
from lb import Placement

Array = NDArray[np.float64]


def price_steps(
    executor: StepExecutor,
    placement: Placement,
    load: Array,
    shares: Sequence[Array],
    window: ReplayWindow,
    first: int,
) -> StepTime:
    """Return the seconds of the steps of a window, each in its own phase.

    Parameters
    ----------
    executor
        Prices steps. Those without a phase of their own have its phase.
    placement
        Where the experts are.
    load
        [steps, layers, experts] token copies.
    shares
        Share of each step, from a dispatcher: [layers, slots], or [layers, ranks, slots].
    window
        Tokens and phases of the steps.
    first
        Number of the first step. It seeds the jitter.
    """
    if any(share.ndim > 2 for share in shares):
        return _one_by_one(executor, placement, load, shares, window, first)
    even = all(share is placement.even_share for share in shares)
    share = None if even else np.stack(shares)

    def price(executor: StepExecutor, steps: slice) -> StepTime:
        own = None if share is None else share[steps]
        number = first + steps.start
        return executor.steps(placement, load[steps], own, window.tokens[steps], first=number)

    return _joined([price(*part) for part in _parts(executor, window)])


def ideal_step_s(
    executor: StepExecutor, num_ranks: int, load: Array, window: ReplayWindow
) -> Array:
    """Return the seconds of each step under perfect balance, [steps].

    Parameters are those of :func:`price_steps`.
    """
    parts = [
        own.ideal(load[steps], num_ranks, window.tokens[steps]).totals
        for own, steps in _parts(executor, window)
    ]
    return np.concatenate(parts)


def _parts(executor: StepExecutor, window: ReplayWindow) -> list[tuple[StepExecutor, slice]]:
    """Return stretches of steps of one phase, each with the executor that prices them."""
    count = len(window.tokens)
    phases = window.phases or ("",) * count
    cuts = [0, *(step for step in range(1, count) if phases[step] != phases[step - 1]), count]
    return [
        (executor.in_phase(phases[start]), slice(start, stop)) for start, stop in pairwise(cuts)
    ]


def _one_by_one(
    executor: StepExecutor,
    placement: Placement,
    load: Array,
    shares: Sequence[Array],
    window: ReplayWindow,
    first: int,
) -> StepTime:
    """Price shares by source rank, which are large."""
    priced = [
        own.step(placement, load[step], shares[step], int(window.tokens[step]), number=first + step)
        for own, steps in _parts(executor, window)
        for step in range(steps.start, steps.stop)
    ]
    return _stacked(priced, np.stack)


def _joined(parts: list[StepTime]) -> StepTime:
    return parts[0] if len(parts) == 1 else _stacked(parts, np.concatenate)


def _stacked(parts: Sequence[StepTime], stack: Callable[[list[Array]], Array]) -> StepTime:
    return StepTime(
        stack([part.rank_attention for part in parts]),
        stack([part.dispatch for part in parts]),
        stack([part.rank_experts for part in parts]),
        stack([part.combine for part in parts]),
    )
