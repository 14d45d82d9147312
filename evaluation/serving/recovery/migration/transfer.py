"""The weights that a migration moves, and the clock of its transfers."""

import numpy as np
from numpy.typing import NDArray

import lb
from lb.checked import checked_number


class WeightTransfer:
    """Weights on their way from one placement to another, at a rate.

    Parameters
    ----------
    before, after
        Placements of the same layers, experts, slots and ranks.
    expert_bytes
        Bytes of the weights of one expert in one layer, more than 0.
    bytes_per_s
        Rate at which one rank receives, more than 0; ranks receive at the same time.
    started_s
        Nothing happens before this time.

    Raises
    ------
    ValueError
        If the placements do not belong together, or a number is out of range.
    """

    def __init__(
        self,
        before: lb.Placement,
        after: lb.Placement,
        expert_bytes: float,
        bytes_per_s: float,
        started_s: float,
    ) -> None:
        for name in ("num_layers", "num_experts", "num_slots", "num_ranks"):
            was, will_be = getattr(before, name), getattr(after, name)
            if was != will_be:
                raise ValueError(
                    f"{name} is {was} before and {will_be} after; a migration keeps it"
                )
        self.before, self.after = before, after
        self.expert_bytes = positive(expert_bytes, "expert_bytes")
        self.bytes_per_s = positive(bytes_per_s, "bytes_per_s")
        self.started_s = checked_number(started_s, "started_s")
        #: [layers, ranks] bytes that each rank must receive.
        self.bytes = after.moves_from(before).astype(np.float64) * self.expert_bytes
        self._clock = -np.inf
        self._moving_from = self.started_s

    @property
    def nothing(self) -> NDArray[np.float64]:
        """[ranks] zero bytes."""
        return np.zeros(self.before.num_ranks)

    def pause_s(self, received: NDArray[np.float64]) -> float:
        """Return how long the step loop pauses until all ranks have received [ranks] bytes."""
        return float(received.max()) / self.bytes_per_s

    def elapsed(self, now_s: float, step_s: float) -> float:
        """Move the clock to ``now_s`` and return the seconds of steps since the call before.

        Time before the start does not count, nor does a pause that :meth:`skip` leaves out.

        Raises
        ------
        ValueError
            If time goes backwards or the step has no length.
        """
        now = checked_number(now_s, "now_s")
        positive(step_s, "step_s")
        if now < self._clock:
            raise ValueError(f"now_s = {now:g} < {self._clock:g}, the time before; time goes on")
        passed = max(0.0, now - self._moving_from)
        self._clock = now
        self._moving_from = max(now, self._moving_from)
        return passed

    def skip(self, pause_s: float) -> None:
        """Leave out a pause from now on: ranks then receive at their whole rate instead."""
        self._moving_from += pause_s

    @property
    def started(self) -> bool:
        """Whether the clock has reached the start."""
        return bool(self._clock >= self.started_s)


def positive(value: float, name: str) -> float:
    """Return a finite number above 0.

    Raises
    ------
    ValueError
        If it is not.
    """
    number = checked_number(value, name)
    if number <= 0:
        raise ValueError(f"{name} = {number:g} breaks {name} > 0")
    return number
