"""The break-even map: its axes, the setting that all cells share, and its cells."""

import math
from dataclasses import dataclass, fields

#: Least number on each axis.
BOUNDS = {"skew": 0, "batch": 1, "ranks": 1, "redundant": 1, "bandwidth": 1e-3}


@dataclass(frozen=True)
class BreakEvenGrid:
    """The axes of the map; every combination of values is a cell.

    Parameters
    ----------
    skew
        Skew of the popularity law; 0 is uniform. With a workload one number, its measured skew.
    batch
        Tokens of a step on each rank.
    ranks
        EP sizes. Each divides the experts of the model, so that a layout without replicas exists.
    redundant
        Slots a rank beyond experts / ranks.
    bandwidth
        Factors on the rates of links and collectives.

    Raises
    ------
    ValueError
        If an axis is empty, or has a number twice or out of bounds.
    """

    skew: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    batch: tuple[int, ...] = (8, 32, 128)
    ranks: tuple[int, ...] = (32, 64, 128)
    redundant: tuple[int, ...] = (1, 2)
    bandwidth: tuple[float, ...] = (1.0, 0.5)

    def __len__(self) -> int:
        return math.prod(len(getattr(self, axis.name)) for axis in fields(self))

    def __post_init__(self) -> None:
        for axis in fields(self):
            values = getattr(self, axis.name)
            least = BOUNDS[axis.name]
            wrong = [value for value in values if not (least <= value < math.inf)]
            if not values or wrong or len(set(values)) < len(values):
                raise ValueError(
                    f"{axis.name} = {values}: give numbers >= {least:g}, finite, each once"
                )


@dataclass(frozen=True)
class BreakEvenSetting:
    """What all cells share.

    Parameters
    ----------
    model, device, fabric, library
        Names of presets.
    kv_tokens
        Context of each token.
    law, drift
        As in :mod:`evaluation.analysis.popularity`. Popularity drifts between the window that the
        solver sees and the steps that judge it.
    solver, dispatcher
        Registered names. The solver may also be ``path/to/file.py:name``.
    window_steps
        Number of steps that the placement is fitted on.
    steps, layers
        Number of steps that judge it, and of layers with independent popularity in each.
    memory_bound
        Whether a batch that does not fit in memory shrinks to the largest that fits. Cells then
        compare the time of a token instead of a step.
    seed
        Random seed of popularity and counts.
    workload
        Bundled workload or a ``.toml`` file whose popularity is taken instead of a law's; empty:
        none. ``layers`` is the number of its layers then.
    window_s, at
        Seconds of its windows, and the window that judges. Placements are fitted on the one before.

    Raises
    ------
    ValueError
        If ``kv_tokens`` > 0, ``window_steps`` >= 1, ``steps`` >= 1, ``layers`` >= 2 (errors need
        two), ``seed`` >= 0, ``window_s`` > 0 or ``at`` >= 1 fails.
    """

    model: str = "deepseek-v3"
    device: str = "ascend-910c-die"
    fabric: str = "cloudmatrix384"
    library: str = "cann-ep"
    kv_tokens: float = 2048.0
    law: str = "zipf"
    drift: float = 0.0
    solver: str = "greedy"
    dispatcher: str = "even"
    window_steps: int = 64
    steps: int = 16
    layers: int = 16
    memory_bound: bool = False
    seed: int = 0
    workload: str = ""
    window_s: float = 60.0
    at: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.kv_tokens < math.inf:
            raise ValueError(f"kv_tokens = {self.kv_tokens} breaks 0 < kv_tokens, finite")
        if not 0 < self.window_s < math.inf:
            raise ValueError(f"window_s = {self.window_s} breaks 0 < window_s, finite")
        bounds = (("window_steps", 1), ("steps", 1), ("layers", 2), ("seed", 0), ("at", 1))
        for name, least in bounds:
            if getattr(self, name) < least:
                raise ValueError(f"{name} = {getattr(self, name)} < {least}; give at least {least}")


@dataclass(frozen=True)
class BreakEvenCell:
    """One combination of the axes, and the time of a layer there.

    Parameters
    ----------
    skew, batch, ranks, redundant, bandwidth
        Place in the grid.
    contiguous_s, rearranged_s, replicas_s
        Seconds of a layer: without redundancy and experts in order of their ids; without redundancy
        as the solver arranges it; and with the redundant slots. The last is not a number if no
        batch fits in memory with the slots.
    error
        Standard error, over the layers, of the change against ``rearranged_s``.
    batch_without, batch_with
        Tokens per rank without and with the redundant slots. Less than ``batch`` only if memory
        bounds it.
    fits
        Whether ``batch`` fits in memory with the redundant slots.
    """

    skew: float
    batch: int
    ranks: int
    redundant: int
    bandwidth: float
    contiguous_s: float
    rearranged_s: float
    replicas_s: float
    error: float
    batch_without: int
    batch_with: int
    fits: bool

    def change(self, against: str = "rearranged") -> float:
        """Return the relative change that replicas make; negative is a gain.

        It compares the time per token of the batch, which is the time of the step if the batches
        are equal. Infinite if no batch fits in memory with the redundant slots.
        """
        base: float = getattr(self, f"{against}_s")
        if not self.batch_with:
            return math.inf
        return self.replicas_s / self.batch_with / (base / self.batch_without) - 1.0

    @property
    def verdict(self) -> str:
        """Against rearranging alone: "pays", "costs", or "even" within two standard errors."""
        change = self.change()
        if abs(change) <= 2 * self.error:
            return "even"
        return "pays" if change < 0 else "costs"
