"""Torch devices: find one, read its name and memory, and wait for it."""

import importlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hardware.measure.cpu import cpu_name, free_memory_bytes, total_memory_bytes

DEVICE = r"auto|mps|cpu|(cuda|npu)(:[0-9]+)?"


@dataclass(frozen=True)
class TorchDevice:
    """A torch device, with the calls that differ between kinds of device.

    Parameters
    ----------
    torch
        The module: nothing else in the package imports it.
    device
        A ``torch.device``.
    """

    torch: Any
    device: Any

    @property
    def kind(self) -> str:
        """Kind of device: "cuda", "npu", "mps" or "cpu"."""
        return str(self.device.type)

    def figures(self) -> dict[str, Any]:
        """Return ``name``, ``type`` and ``memory_bytes``."""
        backend = getattr(self.torch, self.kind)
        if self.kind == "cpu":
            name, size = cpu_name(), total_memory_bytes()
        elif self.kind == "mps":
            name, size = f"{cpu_name()} GPU", backend.recommended_max_memory()
        else:
            name = backend.get_device_name(self.device)
            size = backend.get_device_properties(self.device).total_memory
        return {"name": str(name), "type": self.kind, "memory_bytes": int(size)}

    def free_bytes(self) -> int:
        """Return the memory that nothing uses, after torch has given its own cache back."""
        backend = getattr(self.torch, self.kind)
        if self.kind == "cpu":
            return free_memory_bytes()
        backend.empty_cache()
        if self.kind == "mps":
            return int(backend.recommended_max_memory() - backend.driver_allocated_memory())
        return int(backend.mem_get_info(self.device)[0])

    def synchronize(self) -> None:
        """Wait until the device has done what was launched."""
        if self.kind == "mps":
            self.torch.mps.synchronize()
        elif self.kind != "cpu":
            getattr(self.torch, self.kind).synchronize(self.device)

    def elapsed_s(self, launch: Callable[[int], object], calls: int) -> float:
        """Return the seconds of ``calls`` launches, until the last one has finished."""
        self.synchronize()  # or work launched before would count
        start = time.perf_counter()
        for call in range(calls):
            launch(call)
        self.synchronize()
        return time.perf_counter() - start


def find_device(device: str) -> TorchDevice:
    """Return the device of that name; names and errors as in :func:`hardware.measure.measure`."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        raise ImportError(
            "measuring kernels needs torch: pip install torch, in the build for your device"
        ) from None
    if not isinstance(device, str) or not re.fullmatch(DEVICE, device):
        raise ValueError(
            f"device = {device!r} is unknown; give 'auto', 'cuda', 'npu', 'mps' or 'cpu', or one "
            "of several as in 'cuda:1' or 'npu:1'"
        )
    kind, _, index = device.partition(":")
    if kind in ("auto", "npu"):
        _load_npu(required=kind == "npu")
    present = [name for name in ("cuda", "npu", "mps") if _available(torch, name)] + ["cpu"]
    if kind == "auto":
        return TorchDevice(torch, torch.device(present[0]))
    if kind not in present or (index and int(index) >= getattr(torch, kind).device_count()):
        raise ValueError(
            f"device = {device!r} is not on this machine, where torch {torch.__version__} finds "
            f"{', '.join(present)}; give one of them, or install the build of torch for yours"
        )
    return TorchDevice(torch, torch.device(device))


def _load_npu(required: bool) -> None:
    """Import torch_npu, which adds the device to torch; do without it unless required."""
    try:
        importlib.import_module("torch_npu")
    except ImportError:
        if required:
            raise ImportError("device = 'npu' needs torch_npu: pip install torch_npu") from None


def _available(torch: Any, kind: str) -> bool:
    # mps is listed among the backends; the others are modules of torch
    backend = getattr(torch.backends if kind == "mps" else torch, kind, None)
    return backend is not None and bool(backend.is_available())
