"""Weights that dies load when they come back to a task executor, and how long that takes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware import Operators
from hardware.memory import footprint
from lb import Placement


class HeldExperts(NamedTuple):
    """Experts that dies hold.

    Parameters
    ----------
    placement
        Where the experts are.
    dies
        Number of the die of each of its ranks.
    lost
        Those of ``dies`` that hold nothing now.
    """

    placement: Placement
    dies: tuple[int, ...]
    lost: frozenset[int] = frozenset()


def weights_to_load(before: HeldExperts, after: HeldExperts) -> NDArray[np.int64]:
    """Return the expert weights that each rank of ``after`` must receive.

    They are counted as in :meth:`lb.Placement.moves_from`: a die that holds an expert already
    receives nothing for it. A die that was away holds none.

    Returns
    -------
    ndarray
        [layers, ranks after].
    """
    old, new = before.placement, after.placement
    count = max(*before.dies, *after.dies) + 1
    held = np.zeros((old.num_layers, count, old.num_experts), dtype=bool)
    layers = np.arange(old.num_layers)[:, None]
    die = np.repeat(np.array(before.dies), old.slots_per_rank)
    there = ~np.isin(die, list(before.lost))
    held[layers, die[there], old.physical_to_logical[:, there]] = True
    needed = np.zeros_like(held)
    die = np.repeat(np.array(after.dies), new.slots_per_rank)
    needed[layers, die, new.physical_to_logical] = True
    missing: NDArray[np.int64] = (needed & ~held).sum(axis=2)[:, list(after.dies)]
    return missing


def reload_s(
    before: HeldExperts,
    after: HeldExperts,
    came_back: Sequence[int],
    attention_dies: int,
    operators: Operators,
    bytes_per_s: float,
) -> float:
    """Return the seconds until all dies have their weights; all dies receive at the same time.

    It is the price of a rebalance that stops the world, :meth:`StepExecutor.migration_s
    <evaluation.step.executor.StepExecutor.migration_s>`, plus the other weights of the dies that
    come back: attention, shared experts, embeddings.

    Parameters
    ----------
    before, after
        Experts, without those dies and with them.
    came_back
        Dies that come back.
    attention_dies
        Number of dies that hold attention, the first ones.
    operators
        Sizes of the weights.
    bytes_per_s
        Rate at which one die receives.
    """
    each = operators.model.expert_bytes(operators.bytes_per_weight)
    received = dict.fromkeys(came_back, 0.0)
    for die, weights in zip(after.dies, weights_to_load(before, after).sum(axis=0), strict=True):
        received[die] = float(weights) * each
    others = footprint(operators, 0, 0, 0.0).total
    for die in came_back:
        if die < attention_dies:
            received[die] += others
    return max(received.values(), default=0.0) / bytes_per_s
