"""Migrate a few layers before each step; the step loop pauses for these alone."""

import numpy as np

import lb
from evaluation.serving.recovery.migration.effect import MigrationEffect
from evaluation.serving.recovery.migration.transfer import WeightTransfer
from lb.checked import checked_integer


class LayerByLayer:
    """Spread the pause over many steps, as engines do that rearrange in chunks of layers.

    SGLang's ``--eplb-rebalance-layers-per-chunk`` is this. Layers go in their order; those in which
    no rank receives anything are renumbered at once. The pauses add up to at least that of
    stop-the-world, since every chunk waits for its own slowest rank.

    Parameters
    ----------
    transfer
        The weights to move.
    layers_per_step
        Layers that move before one step, at least 1.

    Raises
    ------
    ValueError
        If fewer than 1 layer moves before a step.
    """

    def __init__(self, transfer: WeightTransfer, layers_per_step: int = 1) -> None:
        self._transfer, before, after = transfer, transfer.before, transfer.after
        self._chunk = checked_integer(layers_per_step, "layers_per_step", at_least=1)
        moving = transfer.bytes.sum(axis=1) > 0
        self._left = np.flatnonzero(moving)
        self._table = np.where(
            moving[:, None], before.physical_to_logical, after.physical_to_logical
        )

    def advance(self, now_s: float, step_s: float) -> MigrationEffect:
        """Return the pause of the next layers, and the placement with these moved."""
        transfer = self._transfer
        transfer.elapsed(now_s, step_s)
        if not transfer.started:
            return MigrationEffect(transfer.before, transfer.nothing, phase="waiting")
        moved, self._left = self._left[: self._chunk], self._left[self._chunk :]
        received = transfer.bytes[moved].sum(axis=0)
        pause_s = transfer.pause_s(received)
        if not self._left.size:
            return MigrationEffect(transfer.after, received, pause_s=pause_s, phase="done")
        self._table[moved] = transfer.after.physical_to_logical[moved]
        placement = lb.Placement(self._table, transfer.before.num_ranks)
        return MigrationEffect(placement, received, pause_s=pause_s)
