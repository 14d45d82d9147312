"""The deployment on which a user's recordings are judged."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnSetup:
    """What is known beside the recordings.

    Parameters
    ----------
    num_ranks
        Of the EP group.
    slots
        Expert slots of a layer over all ranks; ``None``: one a rank more than experts need.
    model
        Preset, or a ``.toml`` file; ``None``: the one that the recordings name.
    device, fabric
        Presets.
    dispatcher
        Registered name.
    window_steps, window_s
        Engine steps, or seconds, from one rebalance to the next; ``None``: 60 s where the
        recording allows it.
    tokens_per_rank
        Tokens of a step on each rank, where steps are composed; ``None``: as recorded, or 96 in
        decode and 8,192 in prefill.
    top_k
        Where neither the recordings nor a preset say it.
    phase
        "decode" or "prefill", where the recordings do not say it.
    every_condition
        Replay all conditions. Otherwise a few of them that span the others.

    Raises
    ------
    ValueError
        If slots do not divide over ranks, both lengths of a window are given, or the phase is
        another.
    """

    num_ranks: int = 32
    slots: int | None = None
    model: str | None = None
    device: str = "ascend-910c-die"
    fabric: str = "cloudmatrix384"
    dispatcher: str = "even"
    window_steps: int | None = None
    window_s: float | None = None
    tokens_per_rank: int | None = None
    top_k: int | None = None
    phase: str | None = None
    every_condition: bool = False

    def __post_init__(self) -> None:
        if self.slots is not None and self.slots % self.num_ranks:
            raise ValueError(f"--slots {self.slots} do not divide over --ranks {self.num_ranks}")
        if self.window_steps is not None and self.window_s is not None:
            raise ValueError("--window-steps and --window-s say the same; give one of them")
        if self.window_s is not None and not 0 < self.window_s < math.inf:
            raise ValueError(f"--window-s {self.window_s:g} is outside 0 < seconds < infinity")
        if self.phase not in (None, "decode", "prefill"):
            raise ValueError(f"--phase {self.phase} is not decode or prefill")

    def slots_per_rank(self, experts: int) -> int:
        """Return the slots of each rank.

        Raises
        ------
        ValueError
            If the slots do not hold all experts.
        """
        if self.slots is None:
            return math.ceil(experts / self.num_ranks) + 1
        if self.slots < experts:
            raise ValueError(f"--slots {self.slots} < {experts} experts; give a slot to each")
        return self.slots // self.num_ranks
