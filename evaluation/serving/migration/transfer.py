"""What every migration is told, checked, and the clock that it is asked by."""

import numpy as np
from numpy.typing import NDArray

import lb
from lb.checked import checked_number


class Transfer:
    """From one placement to another, at a rate.

    Parameters
    ----------
    before, after
        Of the same layers, experts, slots and ranks.
    expert_bytes
        Weights of one expert in one layer, more than 0.
    bytes_per_s
        Rate at which one rank receives, more than 0; ranks receive at the same time.
    started_s
        Before this time nothing happens.

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
        self.bytes: NDArray[np.float64] = after.moves_from(before) * self.expert_bytes
        self._clock = -np.inf

    @property
    def nothing(self) -> NDArray[np.float64]:
        """[ranks] zero bytes."""
        return np.zeros(self.before.num_ranks)

    def pause_s(self, received: NDArray[np.float64]) -> float:
        """Return how long the ranks stand still to receive [ranks] bytes."""
        return float(received.max()) / self.bytes_per_s

    def elapsed(self, now_s: float, step_s: float) -> float:
        """Move the clock to ``now_s`` and return the seconds since the call before, or the start.

        Raises
        ------
        ValueError
            If time goes backwards or the step has no length.
        """
        now = checked_number(now_s, "now_s")
        positive(step_s, "step_s")
        if now < self._clock:
            raise ValueError(f"now_s = {now:g} < {self._clock:g}, the time before; time goes on")
        since = max(self._clock, self.started_s)
        self._clock = now
        return max(0.0, now - since)

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
