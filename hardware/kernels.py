"""Efficiency of kernels relative to a device's peaks: a roofline with few, named constants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import preset

Array = NDArray[np.float64]


def _share(value: Any) -> str | None:
    complaint = preset.not_negative(value)
    return complaint or (None if value <= 1 else "give a share: 0 <= value <= 1")


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
    "attention_graph_saving_s": preset.not_negative,
    "tile_heads": preset.count_from_one,
    "softmax_flops": preset.not_negative,
    "query_passes": preset.not_negative,
    "eight_bit_cache": preset.positive,
    "eight_bit_latent": preset.positive,
    "state_memory": preset.fraction,
    "resident_expert_s": preset.not_negative,
    "interference": _share,
    "residuals": preset.table_of(lambda value: None if isinstance(value, dict) else "give a table"),
}

#: Keys that a preset may leave out.
OPTIONAL = frozenset(
    {"graph_saving_s", "attention_graph_saving_s", "tile_tokens", "tile_heads", "core_bytes_per_s"}
    | {"softmax_flops", "query_passes", "eight_bit_cache", "eight_bit_latent", "state_memory"}
    | {"resident_expert_s", "interference", "residuals"}
)

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
    graph_saving_s, attention_graph_saving_s
        What a captured graph saves of each launch of the attention phase in decode, and of that of
        the attention core: at most the launch itself.
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
    tile_heads
        Heads of latent attention in decode, times draft tokens, are computed in tiles of so many.
    softmax_flops
        What a score costs in decode beside its products, in FLOPs of these.
    query_passes
        Times that the absorbed queries of latent attention move to or from memory between kernels;
        0 where projections are fused with what follows them.
    eight_bit_cache, eight_bit_latent
        How many times faster an 8-bit cache streams than a 16-bit one, of grouped queries and of
        latent attention: 2 if nothing were converted.
    state_memory
        Fraction of peak memory bandwidth that the states of linear attention stream at in decode.
    resident_expert_s
        Seconds that each expert slot of a rank costs beside its work, touched or not.
    interference
        What two streams on a die take from one another: while both run, each advances at
        1 / (1 + interference) of its speed (:func:`schedulers.pipeline.schedule`).
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
    attention_graph_saving_s: float = 0.0
    tile_heads: int = 1
    softmax_flops: float = 0.0
    query_passes: float = 0.0
    eight_bit_cache: float = 2.0
    eight_bit_latent: float = 2.0
    state_memory: float = 1.0
    resident_expert_s: float = 0.0
    interference: float = 0.0
    residuals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def preset(cls, name_or_path: str | Path) -> "Kernels":
        """Read a bundled preset or a ``.toml`` file of the same keys; errors as ValueError."""
        path = preset.find("kernels", name_or_path)
        return cls.from_table(str(path), preset.parse(path))

    @classmethod
    def from_table(cls, where: str, table: dict[str, Any]) -> "Kernels":
        """Check the keys of a table; ``where`` names it in errors (ValueError)."""
        found = cls(**preset.checked(where, table, CHECKS, OPTIONAL))
        for saving, launch in (
            ("graph_saving_s", "launch_s"),
            ("attention_graph_saving_s", "attention_launch_s"),
        ):
            if getattr(found, saving) > getattr(found, launch):
                raise ValueError(
                    f"{where}: {saving} = {getattr(found, saving)} <= {launch} = "
                    f"{getattr(found, launch)} must hold: a graph saves no more than the launch; "
                    f"lower {saving}"
                )
        return found

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
