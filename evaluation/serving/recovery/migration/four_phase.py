"""Migrate while the steps go on: prefetch, disable, load, restore (xDeepServe section 4.5)."""

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.serving.recovery.migration.effect import MigrationEffect
from evaluation.serving.recovery.migration.rounds import EXCHANGED, rounds
from evaluation.serving.recovery.migration.transfer import WeightTransfer, positive
from lb.checked import checked_integer, checked_number

_ROUNDING = 1e-9  # of an expert's bytes: what is left of a transfer that has ended


class FourPhase:
    """Load in the background; slots get no tokens while they are overwritten.

    1. Prefetch: all weights go from storage to memory, in the background and not over the fabric.
    2. Disable: the slots of the next round leave the map, and their tokens go to other replicas;
       see :func:`evaluation.serving.recovery.migration.rounds.rounds`.
    3. Load: weights are transferred to the ranks, together with the dispatch traffic of the steps.
    4. Restore: the slots come back between two steps, with their new experts. The next round
       begins.

    If experts with a single copy change places, no slot can be disabled. Then, after the rounds of
    these layers, the step loop pauses until they are exchanged from the prefetched memory.
    Placements that keep one copy of every expert in place, as the paper's do, never pause. At the
    end slots are renumbered within their ranks, which costs nothing. Slots hold the weights under
    way; there are no shadow buffers. All of this beyond the paper's phases is an assumption of
    ours.

    Parameters
    ----------
    transfer
        The weights to move.
    storage_bytes_per_s
        Rate of the prefetch for one rank, all ranks at once. Infinite: the weights are in memory.
    port_share
        Part of the port that loading takes, between 0 and 1: it loads at this part of
        ``bytes_per_s``, and dispatch has the rest. Half is an assumption; the paper gives none.
    layers_at_once
        Layers of one disable, load and restore; ``None``: all.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    def __init__(
        self,
        transfer: WeightTransfer,
        storage_bytes_per_s: float = np.inf,
        port_share: float = 0.5,
        layers_at_once: int | None = None,
    ) -> None:
        self._transfer, before, after = transfer, transfer.before, transfer.after
        if storage_bytes_per_s != np.inf:
            positive(storage_bytes_per_s, "storage_bytes_per_s")
        self._port_share = checked_number(port_share, "port_share")
        if not 0 < self._port_share < 1:
            raise ValueError(f"port_share = {port_share:g} is outside 0 < port_share < 1")
        # Ranks prefetch at the same time, so the one with most weights decides.
        most = float(transfer.bytes.sum(axis=0).max())
        self._prefetched_s = transfer.started_s + most / storage_bytes_per_s
        chunk = before.num_layers if layers_at_once is None else layers_at_once
        chunk = checked_integer(chunk, "layers_at_once", at_least=1)
        self._rounds = rounds(before, after)
        self._queue = _queue(self._rounds.turn, chunk)
        self._table = before.physical_to_logical.copy()
        self._placement = before
        self._disabled: NDArray[np.bool_] | None = None
        self._left = transfer.nothing

    @property
    def load_bytes_per_s(self) -> float:
        """Rate at which one rank loads in the background."""
        return self._port_share * self._transfer.bytes_per_s

    def advance(self, now_s: float, step_s: float) -> MigrationEffect:
        """Return the placement of the coming step, and the part of the port that transfers take."""
        transfer = self._transfer
        elapsed = transfer.elapsed(now_s, step_s)
        if not transfer.started:
            return MigrationEffect(self._placement, transfer.nothing, phase="waiting")
        if now_s < self._prefetched_s:
            return MigrationEffect(self._placement, transfer.nothing, phase="prefetch")
        received = self._load(elapsed)
        # Restore: a round ends when its slowest rank has all weights.
        if self._disabled is not None and not self._left.any():
            self._restore(self._disabled)
            self._disabled = None
        # Disable: begin the next round. Exchanges before it take no time of their own in the
        # background, because the step loop pauses for them; several can fall into one pause.
        exchanged = transfer.nothing
        while self._disabled is None and self._queue:
            slots, by_exchange = self._queue.pop(0)
            if by_exchange:
                exchanged += self._bytes(slots)
                self._restore(slots)
            else:
                self._disabled, self._left = slots, self._bytes(slots)
        pause_s = transfer.pause_s(exchanged)
        transfer.skip(pause_s)
        received = received + exchanged
        if self._disabled is None:
            return MigrationEffect(transfer.after, received, pause_s=pause_s, phase="done")
        # A round that ends within the step occupies the port for a part of the step only.
        within = np.minimum(1.0, self._left.max() / (self.load_bytes_per_s * step_s))
        busy = float(within) * self._port_share
        return MigrationEffect(
            self._placement, received, ~self._disabled, pause_s, busy, "disabled"
        )

    def _load(self, elapsed: float) -> NDArray[np.float64]:
        """Return the [ranks] bytes that arrived, and take them from what is left."""
        arrived = np.minimum(self._left, self.load_bytes_per_s * elapsed)
        ended = self._left - arrived <= _ROUNDING * self._transfer.expert_bytes
        arrived = np.where(ended, self._left, arrived)
        self._left = np.where(ended, 0.0, self._left - arrived)
        return arrived

    def _restore(self, slots: NDArray[np.bool_]) -> None:
        self._table[slots] = self._rounds.target[slots]
        self._placement = lb.Placement(self._table, self._transfer.before.num_ranks)

    def _bytes(self, slots: NDArray[np.bool_]) -> NDArray[np.float64]:
        """[ranks] bytes that the ranks receive for these slots."""
        weights = np.where(slots, self._rounds.weights, 0).sum(axis=0)
        by_rank = weights.reshape(self._transfer.before.num_ranks, -1).sum(axis=1)
        received: NDArray[np.float64] = by_rank * self._transfer.expert_bytes
        return received


def _queue(turn: NDArray[np.int64], chunk: int) -> list[tuple[NDArray[np.bool_], bool]]:
    """Return the slots of each round [layers, slots] in order, and whether it is an exchange."""
    queue: list[tuple[NDArray[np.bool_], bool]] = []
    for first in range(0, len(turn), chunk):
        here = np.zeros(turn.shape, dtype=np.bool_)
        here[first : first + chunk] = True
        numbers = np.unique(turn[first : first + chunk])
        for number in numbers[numbers >= 0]:
            queue.append((here & (turn == number), bool(number == EXCHANGED)))
    return queue
