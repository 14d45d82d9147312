"""Migrate all at once, the step loop standing still meanwhile."""

import lb
from evaluation.serving.recovery.migration.effect import Effect
from evaluation.serving.recovery.migration.transfer import Transfer


class StopTheWorld:
    """Wait until the slowest rank has all its new weights, then go on under the new placement.

    Parameters and errors as of :class:`evaluation.serving.recovery.migration.transfer.Transfer`.
    The pause is that of :meth:`evaluation.step.executor.StepExecutor.migration_s`.
    """

    def __init__(
        self,
        before: lb.Placement,
        after: lb.Placement,
        expert_bytes: float,
        bytes_per_s: float,
        started_s: float,
    ) -> None:
        self._transfer = Transfer(before, after, expert_bytes, bytes_per_s, started_s)
        self._left = self._transfer.bytes.sum(axis=0)

    def advance(self, now_s: float, step_s: float) -> Effect:
        """Return the pause at the first step from the start on, then nothing."""
        transfer = self._transfer
        transfer.elapsed(now_s, step_s)
        if not transfer.started:
            return Effect(transfer.before, transfer.nothing, phase="waiting")
        received, self._left = self._left, transfer.nothing
        return Effect(transfer.after, received, pause_s=transfer.pause_s(received), phase="done")
