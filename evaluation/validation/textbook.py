"""The baseline beside the model: a roofline as in a textbook, with two fractions and one launch."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import Device, Fabric, Kernels
from hardware.collectives import Library

Array = NDArray[np.float64]

#: Fractions of the peaks, of memory and links and of products, and seconds of a launch: round
#: figures that anyone would guess, the same for every device and kernel.
MEMORY, COMPUTE, LAUNCH_S = 0.8, 0.6, 5e-6


class TextbookKernels(Kernels):
    """Kernels whose slower part alone decides: max(bytes / 0.8 B, FLOPs / 0.6 P) + 5 µs."""

    def joined(self, *seconds: ArrayLike) -> Array:
        """Return the longest part, [...]."""
        longest = np.asarray(seconds[0], dtype=np.float64)
        for part in seconds[1:]:
            longest = np.maximum(longest, part)
        return longest


def device(given: Device) -> Device:
    """Return the device with textbook kernels: no tiles, no stripes, no graphs."""
    kernels = TextbookKernels(
        name="textbook",
        source="a baseline",
        launch_s=LAUNCH_S,
        memory=MEMORY,
        compute=COMPUTE,
        grouped_launch_s=LAUNCH_S,
        grouped_compute=COMPUTE,
        attention_launch_s=LAUNCH_S,
        attention_memory=MEMORY,
        attention_compute=COMPUTE,
        prefill_compute=COMPUTE,
    )
    return replace(given, kernels=kernels)


def library(given: Library, fabric: Fabric, node: Fabric) -> Library:
    """Return a library that reaches 0.8 of the links after 5 µs.

    Parameters
    ----------
    given
        Whose message format is kept.
    fabric
        Where the ranks are; the port of a rank to other nodes bounds what it pulls from afar.
    node
        One server of the fabric, whose ports bound what a rank pulls from it.
    """
    rates = {
        "setup_s": LAUNCH_S,
        "within_bytes_per_s": MEMORY * node.port_bytes_per_s,
        "between_bytes_per_s": MEMORY * fabric.port_bytes_per_s,
    }
    send = {"setup_s": LAUNCH_S, "core_bytes_per_s": MEMORY * fabric.port_bytes_per_s}
    return replace(given, name="textbook", dispatch=rates, combine=rates, send=send)
