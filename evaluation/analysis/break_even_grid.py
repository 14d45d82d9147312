"""The grid of the break-even map: its axes, what is the same everywhere, and its cells."""

import math
from dataclasses import dataclass, fields

#: Least number on each axis.
BOUNDS = {"skew": 0, "batch": 1, "ranks": 1, "redundant": 1, "bandwidth": 1e-3}


@dataclass(frozen=True)
class Grid:
    """The axes; every combination is a cell.

    Parameters
    ----------
    skew
        Of the popularity law; 0 is uniform.
    batch
        Tokens of a step on each rank.
    ranks
        EP sizes; each divides the model's experts, so that no redundant slot means none.
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
            wrong = [one for one in values if not (least <= one < math.inf)]
            if not values or wrong or len(set(values)) < len(values):
                raise ValueError(
                    f"{axis.name} = {values}: give numbers >= {least:g}, finite, each once"
                )


@dataclass(frozen=True)
class Setting:
    """What is the same in every cell.

    Parameters
    ----------
    model, device, fabric, library
        Presets.
    kv_tokens
        Context of each token.
    law, drift
        As in :mod:`evaluation.analysis.popularity`; the drift happens between fit and judgement.
    solver, dispatcher
        Registered names, the first also ``path/to/file.py:name``.
    window_steps
        Steps that the placement is fitted on, all before those that judge it.
    steps, layers
        Steps that judge it, and layers of independent popularity in each.
    memory_bound
        Whether a batch that does not fit beside the slots shrinks to what does; cells then compare
        the time of a token, not of a step.
    seed
        Of popularity and counts.

    Raises
    ------
    ValueError
        If ``kv_tokens`` > 0, ``window_steps`` >= 1, ``steps`` >= 1, ``layers`` >= 2 (errors need
        two) or ``seed`` >= 0 fails.
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

    def __post_init__(self) -> None:
        if not 0 < self.kv_tokens < math.inf:
            raise ValueError(f"kv_tokens = {self.kv_tokens} breaks 0 < kv_tokens, finite")
        for name, least in (("window_steps", 1), ("steps", 1), ("layers", 2), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} = {getattr(self, name)} < {least}; give at least {least}")


@dataclass(frozen=True)
class Cell:
    """One combination, and what a layer takes there.

    Parameters
    ----------
    skew, batch, ranks, redundant, bandwidth
        Where in the grid.
    contiguous_s, rearranged_s, replicas_s
        Seconds of a layer without redundancy in the order of ids, without redundancy as the solver
        arranges it, and with the redundant slots; the last is not a number where they leave no
        room for a batch.
    error
        Standard error of the change against ``rearranged_s``, over the layers.
    batch_without, batch_with
        Tokens a rank without and with the redundant slots; less than ``batch`` only where memory
        bounds it.
    fits
        Whether ``batch`` fits in memory beside the redundant slots.
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
        """Return the change that replicas make, as a fraction; negative is gain.

        Of the time for each token of the batch: of the step, where batches are alike. Infinite
        where the redundant slots leave no room for a batch.
        """
        base: float = getattr(self, f"{against}_s")
        if not self.batch_with:
            return math.inf
        return self.replicas_s / self.batch_with / (base / self.batch_without) - 1.0

    @property
    def verdict(self) -> str:
        """Say "pays", "costs", or "even" within two standard errors (rearranging alone)."""
        change = self.change()
        if abs(change) <= 2 * self.error:
            return "even"
        return "pays" if change < 0 else "costs"
