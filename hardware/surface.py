"""Measured tables as surfaces over the work of kernels, carried from one device to another.

A kernel's work has three parts: launches, bytes streamed and products computed. On a device they
are seconds at its data sheet's rates (:func:`work_s`). A surface scales each part by what
measurements say, and bends their sum to the measurements near by. Another device has the same
surface over its own parts: its stream is shorter by its ratio of bandwidths, its compute by its
ratio of products.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware.device import Device
from hardware.kernels import Kernels, roofline

Array = NDArray[np.float64]

#: Kernels that reach every peak, with launches of 1 µs: what is left is work alone. Tiles and the
#: stripe of a core are work; a cache of 8 bits counts as converted to 16.
IDEAL = Kernels(
    name="ideal",
    source="data sheets alone",
    launch_s=1e-6,
    memory=1.0,
    compute=1.0,
    grouped_launch_s=1e-6,
    grouped_compute=1.0,
    attention_launch_s=1e-6,
    attention_memory=1.0,
    attention_compute=1.0,
    prefill_compute=1.0,
    tile_tokens=64,
    tile_heads=64,
    core_bytes_per_s=150e9,
    query_passes=1.0,
    eight_bit_cache=1.0,
    eight_bit_latent=1.0,
)
#: So much faster, a part vanishes beside the others.
VANISHING = 1e12
INFINITE = float("inf")
#: Seconds of a launch over 1 µs, of streaming and of computing over the data sheet's, before any
#: measurement is seen.
START = (5.0, 1.2, 1.5)
#: Errors of logarithms beyond this count linearly in a fit, so that outliers do not bend the rest.
SOFT = 0.2
#: How hard a fit holds on to its start: what no row decides stays there.
HOLD = 0.15
#: Measured rows near by, the distance (of logarithms of seconds) at which one counts e times less,
#: and the weight of the scaled parts themselves beside them.
NEIGHBOURS, REACH, PHYSICS = 8, 0.4, 0.3
#: Up to this distance of the next measured row a prediction is interpolated: a factor of two.
INSIDE = float(np.log(2.0))


def work_s(device: Device, price: Callable[[Device], float]) -> Array:
    """Return the work of a kernel on a device: [3] launches, stream and compute.

    Parameters
    ----------
    device
        Whose data sheet counts; its kernels do not.
    price
        Seconds of the kernel on a device, from :class:`hardware.Operators` or
        :func:`hardware.calibrate.predict_s`.

    Returns
    -------
    ndarray
        [3] µs of launches of 1 µs, seconds at full bandwidth, seconds at full products.
    """
    silent = replace(IDEAL, launch_s=0.0, grouped_launch_s=0.0, attention_launch_s=0.0)
    # The stripe of a core is part of the stream, so that the other two parts have none.
    launches = price(
        _with(
            device,
            replace(IDEAL, core_bytes_per_s=INFINITE),
            bandwidth=VANISHING,
            products=VANISHING,
        )
    )
    stream = price(_with(device, silent, products=VANISHING))
    compute = price(_with(device, replace(silent, core_bytes_per_s=INFINITE), bandwidth=VANISHING))
    return np.array([launches, stream, compute])


def _with(
    device: Device, kernels: Kernels, *, bandwidth: float = 1.0, products: float = 1.0
) -> Device:
    """Return the device with other kernels, and rates that many times as high."""
    flops = {form: rate * products for form, rate in device.flops.items()}
    rate = device.hbm_bytes_per_s * bandwidth
    return replace(device, kernels=kernels, flops=flops, hbm_bytes_per_s=rate)


@dataclass(frozen=True)
class Surface:
    """Seconds of a family of kernels over their work, as measured.

    Parameters
    ----------
    scale
        [3] what launches, stream and compute take over :func:`work_s`.
    at
        [rows, 2] logarithms of stream and compute of the rows that were measured.
    bend
        [rows] logarithm of measured over scaled seconds.
    """

    scale: Array
    at: Array
    bend: Array

    @classmethod
    def fit(cls, work: Array, seconds: ArrayLike, start: ArrayLike = START) -> "Surface":
        """Scale and bend to measured rows.

        Parameters
        ----------
        work
            [rows, 3] of :func:`work_s`.
        seconds
            [rows] measured.
        start
            Scales that no row decides keep these.

        Raises
        ------
        ValueError
            If there is no row, or shapes differ, or a measured time is not above 0.
        """
        measured = np.asarray(seconds, dtype=np.float64)
        if not len(measured) or work.shape != (len(measured), 3) or not (measured > 0).all():
            raise ValueError(
                f"work has shape {work.shape}, seconds {measured.shape}; give [rows, 3] and [rows] "
                "of at least one row, all seconds > 0"
            )
        scale = _scales(work, measured, np.asarray(start, dtype=np.float64))
        return cls(scale, _place(work), np.log(measured / _scaled(scale, work)))

    def rescaled(self, work: Array, seconds: ArrayLike) -> "Surface":
        """Return the surface with scales fitted to a few rows of another device.

        Its bends stay: they belong to the kernels. Parameters as in :meth:`fit`; scales that these
        rows do not decide keep what they are.
        """
        return replace(self, scale=_scales(work, np.asarray(seconds, dtype=np.float64), self.scale))

    def seconds(self, work: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return seconds, and whether they are interpolated.

        Parameters
        ----------
        work
            [rows, 3] of :func:`work_s`, on the device in question.

        Returns
        -------
        seconds : ndarray
            [rows].
        inside : ndarray
            [rows] true within a factor of two of a measured row in both stream and compute; else
            the scaled parts alone, which is physics, decide more and more.
        """
        from scipy.spatial import cKDTree

        near = min(NEIGHBOURS, len(self.bend))
        distance, row = cKDTree(self.at).query(_place(work), k=near)
        distance, row = distance.reshape(len(work), near), row.reshape(len(work), near)
        weight = np.exp(-((distance / REACH) ** 2))
        bend = (weight * self.bend[row]).sum(axis=1) / (weight.sum(axis=1) + PHYSICS)
        return _scaled(self.scale, work) * np.exp(bend), distance[:, 0] <= INSIDE


def _scaled(scale: Array, work: Array) -> Array:
    total: Array = scale[0] * work[:, 0] + roofline(scale[1] * work[:, 1], scale[2] * work[:, 2])
    return total


def _place(work: Array) -> Array:
    """[rows, 2] logarithms of stream and compute; below a tenth of a microsecond all are alike."""
    return np.log(work[:, 1:] + 1e-7)


def _scales(work: Array, measured: Array, start: Array) -> Array:
    from scipy.optimize import least_squares

    def errors(logs: Array) -> Array:
        off = np.log(_scaled(np.exp(logs), work) / measured)
        return np.concatenate([off, HOLD * (logs - np.log(start))])

    found = least_squares(errors, np.log(start), loss="soft_l1", f_scale=SOFT)
    return np.asarray(np.exp(found.x))
