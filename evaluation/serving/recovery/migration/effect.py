"""Effect of a migration on one step, and the shares of slots when some are disabled."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

import lb


@dataclass(frozen=True, eq=False)
class MigrationEffect:
    """What a migration does to the coming step.

    Parameters
    ----------
    placement
        In use in this step.
    received
        [ranks] bytes that each rank has received since the call before, those of this pause too.
    enabled
        [layers, slots] whether a slot may get tokens (:func:`masked_share`); ``None``: all may.
        A disabled slot keeps its expert in the placement.
    pause_s
        Seconds that the step loop pauses before the step.
    busy
        Part of the busiest rank's port that transfers occupy during the step, on average; below 1.
    phase
        "waiting", "prefetch", "disabled", "moving" or "done".
    """

    placement: lb.Placement
    received: NDArray[np.float64]
    enabled: NDArray[np.bool_] | None = None
    pause_s: float = 0.0
    busy: float = 0.0
    phase: str = "moving"

    @property
    def done(self) -> bool:
        """Whether the new placement is in use and nothing is left to do."""
        return self.phase == "done"

    @property
    def slowdown(self) -> float:
        """Times that dispatch and combine take longer on what the transfers leave of the port."""
        return 1.0 / (1.0 - self.busy)


class Migration(Protocol):
    """On its way from one placement to another; asked before every step."""

    def advance(self, now_s: float, step_s: float) -> MigrationEffect:
        """Return what happens to the step that begins at ``now_s``.

        Parameters
        ----------
        now_s
            Time before the pause that the answer may ask for; never less than the time before.
        step_s
            Expected length of the step, more than 0.

        Raises
        ------
        ValueError
            If time goes backwards or the step has no length.
        """
        ...


def masked_share(
    placement: lb.Placement, share: ArrayLike, enabled: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Return the shares with those of disabled slots passed on to replicas that are enabled.

    Within an expert the enabled slots keep their proportions. Where all that are left had a share
    of 0, the tokens are split evenly over them.

    Parameters
    ----------
    placement
        Where the replicas are, disabled ones too.
    share
        [layers, slots], or [layers, ranks, slots] by source rank, as a dispatcher answers.
    enabled
        [layers, slots]; ``None``: all are.

    Returns
    -------
    ndarray
        As the share; the enabled slots of every expert add up to 1.

    Raises
    ------
    ValueError
        If a shape is not the placement's, or an expert has no enabled slot.
    """
    split = np.asarray(share, dtype=np.float64)
    if enabled is None:
        return split
    table = placement.physical_to_logical
    if enabled.shape != table.shape or split.shape not in (
        table.shape,
        (placement.num_layers, placement.num_ranks, placement.num_slots),
    ):
        raise ValueError(
            f"share has shape {split.shape} and enabled {enabled.shape}; give "
            f"[{placement.num_layers} layers, {placement.num_slots} slots]"
        )
    copies = _by_expert(placement, enabled.astype(np.float64))
    if copies.min() == 0:
        layer, slot = np.argwhere(copies == 0)[0]
        raise ValueError(
            f"layer {layer} has no enabled slot of expert {table[layer, slot]}; "
            "an expert needs at least 1, or its tokens are lost"
        )
    if split.ndim == 3:
        by_rank = [
            _masked(placement, split[:, rank], enabled, copies)
            for rank in range(placement.num_ranks)
        ]
        return np.stack(by_rank, axis=1)
    return _masked(placement, split, enabled, copies)


def _masked(
    placement: lb.Placement,
    split: NDArray[np.float64],
    enabled: NDArray[np.bool_],
    copies: NDArray[np.float64],
) -> NDArray[np.float64]:
    kept = np.where(enabled, split, 0.0)
    total = _by_expert(placement, kept)
    return np.divide(kept, total, out=enabled / copies, where=total > 0)


def _by_expert(placement: lb.Placement, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[layers, slots] sum over the replicas of each slot's expert."""
    table = placement.physical_to_logical
    cells = table + np.arange(placement.num_layers)[:, None] * placement.num_experts
    total = np.bincount(cells.ravel(), weights=values.ravel())
    return np.asarray(total[cells], dtype=np.float64)
