"""Timing of one point: cold operands, enough calls for the clock, within memory and budget."""

import math
import statistics
import time

from hardware.measure.launch import prepare
from hardware.measure.point import ELEMENT_BYTES, RESULT_BYTES, Point
from hardware.measure.sweep import Sweep
from hardware.measure.torch_device import TorchDevice

SAMPLE_S = 0.003  # a sample repeats its call for this long: far above the clock and the waiting
COLD_BYTES = 256 * 2**20  # operands that calls take in turn: five times the L2 cache of an H100
MAX_COPIES = 64  # smaller operands than COLD_BYTES / 64 cost a launch, wherever they lie
SLOWER = 1.25  # a format is timed if its product takes at most this much of the time in fp32

# How torch says that a device cannot do something, by device and version
REFUSALS = (RuntimeError, ValueError, TypeError, AttributeError)


def timed_formats(device: TorchDevice) -> tuple[str, tuple[str, ...]]:
    """Return the format of most points, bf16 or fp32, and those of further dense products.

    A device that emulates a format multiplies it more slowly than fp32. Timing one product tells,
    whatever the device and the version of torch.
    """
    # Large enough to outlast a launch; small enough for a CPU's emulation of fp8
    edge = 256 if device.kind == "cpu" else 2048
    seconds = {}
    for number_format in ELEMENT_BYTES:
        try:
            launch = prepare(device, Point("gemm", number_format, edge, edge, edge), 1)
            device.elapsed_s(launch, 1)  # kernels are loaded and chosen by the first call
            seconds[number_format] = min(device.elapsed_s(launch, 1) for _ in range(5))
        except REFUSALS:
            if number_format == "fp32":  # then the device is out of order, or full
                raise
    fast = [name for name in seconds if seconds[name] <= SLOWER * seconds["fp32"]]
    return (
        "bf16" if "bf16" in fast else "fp32",
        tuple(name for name in fast if name in ("int8", "fp8")),
    )


def latency_s(
    device: TorchDevice, point: Point, sweep: Sweep, deadline: float, expected_s: float
) -> float | str:
    """Return the seconds of one call, or why the point is skipped.

    Parameters
    ----------
    device, point, sweep
        Where, what, and with how many samples.
    deadline
        Reading of ``time.perf_counter`` at which the budget ends.
    expected_s
        Seconds of one call by the pace of smaller points; 0 where nothing is known.
    """
    # Step 1: leave the point out if memory or time cannot hold it, before anything is allocated.
    allowed = device.free_bytes() // 4
    needed = point.operand_bytes + point.result_bytes + _score_bytes(device, point)
    if needed > allowed:
        return f"needs {needed} bytes > {allowed}, a quarter of the free memory; free some"
    too_long = _overrun(expected_s, sweep, deadline)
    if too_long:
        return too_long
    # Step 2: as many sets of operands as push each other out of the caches.
    spare = allowed - needed
    copies = min(MAX_COPIES, math.ceil(COLD_BYTES / point.operand_bytes))
    copies = min(copies, 1 + spare // point.operand_bytes)
    try:
        launch = prepare(device, point, copies)
        # Step 3: warm up, and leave the point out if a real call turns out too long.
        device.elapsed_s(launch, 1)
        once = device.elapsed_s(launch, 1 + sweep.warmup) / (1 + sweep.warmup)
        too_long = _overrun(once, sweep, deadline)
        if too_long:
            return too_long
        # Step 4: samples of many calls each, of which the median ignores disturbances.
        calls = math.ceil(SAMPLE_S / once)
        samples = [device.elapsed_s(launch, calls) / calls for _ in range(sweep.repeats)]
    except REFUSALS as error:
        return f"torch refuses it: {str(error).partition(chr(10))[0]}"
    return statistics.median(samples)


def _score_bytes(device: TorchDevice, point: Point) -> int:
    """Bytes of prefill's scores and weights, where no fused kernel may keep them on chip."""
    if point.operator != "attention_prefill" or device.kind in ("cuda", "cpu"):
        return 0
    return 2 * point.heads * point.kv_tokens**2 * RESULT_BYTES[point.format]


def _overrun(call_s: float, sweep: Sweep, deadline: float) -> str | None:
    """Return why the point is skipped, if calls of that length pass the deadline."""
    left = deadline - time.perf_counter()
    needed = (1 + sweep.warmup) * call_s + sweep.repeats * max(call_s, SAMPLE_S)
    if needed <= left:
        return None
    return (
        f"needs about {needed:.2g} s > {max(left, 0.0):.2g} s, the rest of "
        f"budget_s = {sweep.budget_s:g}; raise it"
    )
