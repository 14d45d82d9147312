"""One accelerator die: its peaks and memory, and the kernels that run on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware import preset
from hardware.kernels import Kernels


def _kernels(value: Any) -> str | None:
    named = isinstance(value, dict) or preset.text(value) is None
    return None if named else "give the name of a kernels preset, or a table of its keys"


CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "flops": preset.table_of(preset.positive),
    "hbm_bytes": preset.positive,
    "hbm_bytes_per_s": preset.positive,
    "cores": preset.count_from_one,
    "dies_per_chip": preset.count_from_one,
    "kernels": _kernels,
    "measured": preset.text,
}


@dataclass(frozen=True)
class Device:
    """One die, the unit that runs a rank.

    Parameters
    ----------
    name, source
        What it is, and where the figures come from.
    flops
        Dense peak in FLOP/s by number format ("bf16", "fp8", "int8").
    hbm_bytes, hbm_bytes_per_s
        Memory and its peak bandwidth.
    kernels
        Fractions of the peaks that its kernels reach.
    cores
        Matrix cores (streaming multiprocessors, cube cores) that kernels divide among them.
    dies_per_chip
        Dies in one package: figures "per chip" divide by it.
    measured
        Table of kernels timed on it (a bundled name or a ``.csv`` file); empty for none.
    """

    name: str
    source: str
    flops: Mapping[str, float]
    hbm_bytes: float
    hbm_bytes_per_s: float
    kernels: Kernels
    cores: int = 1
    dies_per_chip: int = 1
    measured: str = ""

    @classmethod
    def preset(cls, name_or_path: str | Path) -> "Device":
        """Read a bundled preset or a ``.toml`` file of the same keys.

        ``kernels`` names a kernels preset, or is a table of its keys.

        Raises
        ------
        ValueError
            Naming file, key and how to fix it.
        """
        path = preset.find("devices", name_or_path)
        optional = frozenset({"cores", "dies_per_chip", "measured"})
        values = preset.read(path, CHECKS, optional)
        asked = values.pop("kernels")
        if isinstance(asked, dict):
            return cls(**values, kernels=Kernels.from_table(f"{path}: [kernels]", asked))
        return cls(**values, kernels=Kernels.preset(asked))

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
