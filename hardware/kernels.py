"""Efficiency of kernels relative to a device's peaks: a roofline with few, named constants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import preset

Array = NDArray[np.float64]

CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "launch_s": preset.not_negative,
    "graph_saving_s": preset.not_negative,
    "memory": preset.fraction,
    "compute": preset.fraction,
    "core_bytes_per_s": preset.positive,
    "grouped_launch_s": preset.not_negative,
    "grouped_compute": preset.fraction,
    "tile_tokens": preset.count_from_one,
    "attention_launch_s": preset.not_negative,
    "attention_memory": preset.fraction,
    "attention_compute": preset.fraction,
    "prefill_compute": preset.fraction,
    "residuals": preset.table_of(lambda value: None if isinstance(value, dict) else "give a table"),
}

#: Columns of a weight matrix that one core computes: the usual tile of matrix kernels.
STRIPE = 128


@dataclass(frozen=True)
class Kernels:
    """Efficiency of a family of kernels on a family of devices, from ``podlab calibrate``.

    Parameters
    ----------
    name, source
        Which kernels, and which measurements the constants come from.
    launch_s, grouped_launch_s, attention_launch_s
        Fixed seconds of one dense product, one grouped (expert) product, one attention core.
    graph_saving_s
        What a captured graph saves of each launch of the attention phase in decode.
    memory, attention_memory
        Fraction of peak memory bandwidth that weights, and the key-value cache, stream at.
    compute, grouped_compute, attention_compute, prefill_compute
        Fraction of peak FLOP/s of dense products, grouped products, attention in decode, and
        attention in prefill.
    core_bytes_per_s
        Rate at which one core streams its stripe of 128 columns through: what bounds a product
        with a long inner dimension and few columns.
    tile_tokens
        Tokens of one expert are computed in tiles of so many rows; a last tile is padded.
    residuals
        Errors of the fit by table: ``median`` and ``worst`` as fractions, ``rows``.
    """

    name: str
    source: str
    launch_s: float
    memory: float
    compute: float
    grouped_launch_s: float
    grouped_compute: float
    attention_launch_s: float
    attention_memory: float
    attention_compute: float
    prefill_compute: float
    graph_saving_s: float = 0.0
    tile_tokens: int = 1
    core_bytes_per_s: float = float("inf")
    residuals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def preset(cls, name_or_path: str | Path) -> "Kernels":
        """Read a bundled preset or a ``.toml`` file of the same keys; errors as ValueError."""
        path = preset.find("kernels", name_or_path)
        return cls.from_table(str(path), preset.parse(path))

    @classmethod
    def from_table(cls, where: str, table: dict[str, Any]) -> "Kernels":
        """Check the keys of a table; ``where`` names it in errors (ValueError)."""
        optional = frozenset({"graph_saving_s", "tile_tokens", "core_bytes_per_s", "residuals"})
        return cls(**preset.checked(where, table, CHECKS, optional))

    def joined(self, *seconds: ArrayLike) -> Array:
        """Seconds of one kernel from those of its parts, [...] each: :func:`roofline`."""
        return roofline(*seconds)


def roofline(*seconds: ArrayLike) -> Array:
    """Return the root of the sum of squares: the longest part decides, others show near it.

    Reading, computing and the core's own stream overlap, but not perfectly where two of them take
    alike: the measured corner of a roofline is round. The exponent 2 needs no constant; fitted
    freely it came out as 1.75 on the dense products of an H800.
    """
    parts = [np.asarray(part, dtype=np.float64) for part in seconds]
    total: Array = np.sqrt(sum(part * part for part in parts))
    return total
