"""One accelerator die: peaks, memory, and the fractions of them that kernels reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hardware import preset

CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "flops": preset.table_of(preset.positive),
    "hbm_bytes": preset.positive,
    "hbm_bytes_per_s": preset.positive,
    "mla_compute": preset.fraction,
    "mla_memory": preset.fraction,
    "gemm_compute": preset.fraction,
    "grouped_gemm_compute": preset.fraction,
    "weight_memory": preset.fraction,
    "launch_s": preset.not_negative,
    "dies_per_chip": preset.count_from_one,
}


@dataclass(frozen=True)
class Device:
    """One die, the unit that runs a rank.

    Parameters
    ----------
    name, source
        What it is, and where the figures come from.
    flops
        Dense peak in FLOP/s by number format ("bf16", "int8").
    hbm_bytes, hbm_bytes_per_s
        Memory and its peak bandwidth.
    mla_compute, mla_memory
        Fraction of the peaks that latent attention reaches, compute- and memory-bound.
    gemm_compute, grouped_gemm_compute
        Fraction of peak FLOP/s of dense and of grouped (expert) matrix products.
    weight_memory
        Fraction of peak bandwidth when weights stream from memory.
    launch_s
        Fixed time of one phase of a layer.
    dies_per_chip
        Dies in one package: figures "per chip" divide by it.
    """

    name: str
    source: str
    flops: Mapping[str, float]
    hbm_bytes: float
    hbm_bytes_per_s: float
    mla_compute: float
    mla_memory: float
    gemm_compute: float
    grouped_gemm_compute: float
    weight_memory: float
    launch_s: float
    dies_per_chip: int

    @classmethod
    def preset(cls, name_or_path: str | Path) -> "Device":
        """Read a bundled preset or a ``.toml`` file of the same keys; errors as ValueError."""
        return cls(**preset.read(preset.find("devices", name_or_path), CHECKS, frozenset()))

    def flops_per_s(self, number_format: str) -> float:
        """Return the dense peak of a number format.

        Raises
        ------
        ValueError
            If the device has no peak for it.
        """
        if number_format not in self.flops:
            raise ValueError(
                f"{self.name} has no peak for {number_format!r}; it has {', '.join(self.flops)}"
            )
        return self.flops[number_format]
