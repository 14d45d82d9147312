"""Time all points of a sweep on a device, within its budget."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from hardware.measure.point import points
from hardware.measure.sweep import Sweep
from hardware.measure.timing import latency_s, timed_formats
from hardware.measure.torch_device import find_device


@dataclass(frozen=True)
class Measured:
    """The timings of a sweep.

    Parameters
    ----------
    rows
        One mapping a point, with the keys of :data:`COLUMNS`.
    skipped
        The points without a row, each with the reason, in words.
    device_name, memory_bytes
        As in :func:`device_figures`.
    torch_version
        Version of the torch that ran.
    """

    rows: list[dict[str, Any]]
    skipped: list[str]
    device_name: str
    memory_bytes: int
    torch_version: str


def measure(
    device: str = "auto",
    sweep: Sweep | None = None,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> Measured:
    """Time the points of a sweep on a device.

    Operators, each in bf16, or in fp32 where that is the faster of the two:

    * ``gemm``: [m, k] × [k, n], weights stored by column; also in int8 and fp8 where the device
      multiplies them no slower than fp32;
    * ``grouped_gemm``: [groups, m, k] × [groups, k, n], the experts of a rank;
    * ``attention_decode``: absorbed latent attention, unfused: queries [batch, heads, width] on a
      cache [batch, kv_tokens, width] whose first ``v_width`` elements are the values. The scores
      pass through memory, so a fused kernel is faster;
    * ``attention_prefill``: causal attention of one sequence of ``kv_tokens``;
    * ``memory``: a copy that moves ``n`` bytes, read and written together.

    Parameters
    ----------
    device
        "auto" (the first of cuda, npu, mps and cpu that is present), one of these, or "cuda:1".
    sweep
        The points; ``Sweep.quick()`` if None.
    on_row
        Called with each row as soon as it is measured.

    Returns
    -------
    Measured
        Rows with ``latency_us``, the median time of one call in microseconds, and the points
        skipped: those that need more than a quarter of the free memory, would overrun the
        budget, or are refused by torch.

    Raises
    ------
    ValueError
        If the device is unknown or absent.
    ImportError
        If torch, or torch_npu for an NPU, is not installed.
    """
    target = find_device(device)
    sweep = sweep or Sweep.quick()
    figures = target.figures()
    deadline = time.perf_counter() + sweep.budget_s
    measured = Measured([], [], figures["name"], figures["memory_bytes"], target.torch.__version__)
    pace: dict[tuple[str, str], float] = {}  # seconds of a unit of work, of the latest row
    with target.torch.inference_mode():
        main, more = timed_formats(target)
        # cheap points first: they say how long the dear ones will take, before any is started
        for point in sorted(points(sweep, main, more), key=lambda point: point.work):
            kind = (point.operator, point.format)
            latency = latency_s(target, point, sweep, deadline, pace.get(kind, 0.0) * point.work)
            if isinstance(latency, str):
                measured.skipped.append(f"{point}: {latency}")
                continue
            pace[kind] = latency / point.work
            row = {**asdict(point), "latency_us": round(latency * 1e6, 3)}
            measured.rows.append(row)
            if on_row is not None:
                on_row(row)
    return measured


def device_figures(device: str = "auto") -> dict[str, Any]:
    """Return ``name``, ``type`` and ``memory_bytes`` of a device.

    Parameters and errors are those of :func:`measure`.
    """
    return find_device(device).figures()
