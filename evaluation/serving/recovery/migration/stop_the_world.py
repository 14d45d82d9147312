"""Migrate all layers at once, while the step loop pauses."""

from evaluation.serving.recovery.migration.effect import MigrationEffect
from evaluation.serving.recovery.migration.transfer import WeightTransfer


class StopTheWorld:
    """Wait until the slowest rank has all its new weights, then go on under the new placement.

    The pause is that of :meth:`evaluation.step.executor.StepExecutor.migration_s`.

    Parameters
    ----------
    transfer
        The weights to move.
    """

    def __init__(self, transfer: WeightTransfer) -> None:
        self._transfer = transfer
        self._left = transfer.bytes.sum(axis=0)

    def advance(self, now_s: float, step_s: float) -> MigrationEffect:
        """Return the pause at the first step from the start on, then nothing."""
        transfer = self._transfer
        transfer.elapsed(now_s, step_s)
        if not transfer.started:
            return MigrationEffect(transfer.before, transfer.nothing, phase="waiting")
        received, self._left = self._left, transfer.nothing
        return MigrationEffect(
            transfer.after, received, pause_s=transfer.pause_s(received), phase="done"
        )
