"""Leave one device out: predict its kernels from surfaces that other devices' tables gave."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.validation.anchors import LEFT_OUT, Anchor
from evaluation.validation.predictions import KINDS
from hardware import Device
from hardware.surface import Surface, work_s

Array = NDArray[np.float64]

#: Kinds of anchors whose seconds a device alone decides.
OF_DEVICE = ("kernel", "attention module", "expert module")
#: Rows of the device itself that stand for two minutes of `podlab calibrate --measure`: spread over
#: its measured times, and not scored. Of a smaller table at most a third.
OWN_ROWS = 9


@dataclass(frozen=True)
class LeftOut:
    """Errors of one family of kernels on a device that no surface was fitted on.

    Parameters
    ----------
    family, device, sources
        What was predicted, where, and from the tables of which devices.
    figures, inside
        Rows predicted, and the fraction of them within a factor of two of a measured row.
    median_pct, p90_pct, worst_pct, bias_pct
        Errors with the device's data sheet alone.
    own_rows, own_median_pct, own_p90_pct, own_worst_pct, own_bias_pct
        The same with three scales from so many of its rows, which are not scored.
    """

    family: str
    device: str
    sources: tuple[str, ...]
    figures: int
    inside: float
    median_pct: float
    p90_pct: float
    worst_pct: float
    bias_pct: float
    own_rows: int
    own_median_pct: float
    own_p90_pct: float
    own_worst_pct: float
    own_bias_pct: float


def leave_one_out(anchors: Sequence[Anchor]) -> list[LeftOut]:
    """Predict every family of kernels on every device from its tables on the other devices.

    Families that one device alone has are not there: nothing could be left out.
    """
    tables: dict[str, dict[str, tuple[Array, Array]]] = {}
    for family, device, rows in _tables(anchors):
        tables.setdefault(family, {})[device] = _measured(device, rows)
    return [
        _predict(family, device, of_device)
        for family, of_device in tables.items()
        if len(of_device) > 1
        for device in of_device
    ]


def overall(found: Sequence[LeftOut]) -> dict[str, float]:
    """Return the medians over families and devices of their median and p90 errors, in percent."""
    keys = ("median_pct", "p90_pct", "own_median_pct", "own_p90_pct")
    return {key: float(np.median([getattr(one, key) for one in found])) for key in keys}


def report(found: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Return the entries of ``podlab validate --json``."""
    return [asdict(one) for one in found]


def _tables(anchors: Sequence[Anchor]) -> list[tuple[str, str, list[Anchor]]]:
    """Return the anchors of each family on each device."""
    found: dict[tuple[str, str], list[Anchor]] = {}
    for anchor in anchors:
        if anchor.kind in OF_DEVICE and anchor.use != LEFT_OUT:
            key = (_family(anchor), anchor.conditions["device"])
            found.setdefault(key, []).append(anchor)
    return [(*key, rows) for key, rows in found.items()]


def _family(anchor: Anchor) -> str:
    """Return the kernels that share a surface: latent attention and grouped queries do not."""
    operator = str(anchor.conditions.get("operator", anchor.kind))
    if operator == "attention_decode":
        return "grouped queries" if anchor.conditions["groups"] else "latent attention"
    names = {"gemm": "dense products", "grouped_gemm": "expert products"}
    return names.get(operator, operator.replace("_", " "))


def _measured(name: str, rows: Sequence[Anchor]) -> tuple[Array, Array]:
    """Return [rows, 3] work on a device, and [rows] measured seconds."""
    device = Device.preset(name)
    work = [work_s(device, partial(_price, anchor)) for anchor in rows]
    return np.array(work), np.array([1e-6 * anchor.published for anchor in rows])


def _price(anchor: Anchor, device: Device) -> float:
    conditions = {"format": "bf16", **anchor.conditions, "device": device}
    return 1e-6 * KINDS[anchor.kind](conditions)


def _predict(family: str, device: str, tables: dict[str, tuple[Array, Array]]) -> LeftOut:
    sources = tuple(name for name in tables if name != device)
    work = np.concatenate([tables[name][0] for name in sources])
    seconds = np.concatenate([tables[name][1] for name in sources])
    surface = Surface.fit(work, seconds)
    own_work, own_seconds = tables[device]
    predicted, inside = surface.seconds(own_work)
    # A few rows from the shortest to the longest decide the three scales, the others are scored.
    count = min(OWN_ROWS, len(own_seconds) // 3)
    spread = np.linspace(0, len(own_seconds) - 1, count).round().astype(int)
    picked = np.argsort(own_seconds)[spread]
    scored = np.setdiff1d(np.arange(len(own_seconds)), picked)
    own = surface.rescaled(own_work[picked], own_seconds[picked])
    rescaled, _ = own.seconds(own_work[scored])
    sheet = _errors(predicted / own_seconds)
    few = _errors(rescaled / own_seconds[scored])
    figures = (len(own_seconds), round(float(inside.mean()), 3))
    return LeftOut(family, device, sources, *figures, *sheet, count, *few)


def _errors(ratio: Array) -> tuple[float, float, float, float]:
    """Median, 90th percentile and worst absolute error, and the bias, in percent."""
    error = 100 * np.abs(ratio - 1)
    bias = 100 * float(np.exp(np.log(ratio).mean()) - 1)
    figures = (float(np.median(error)), float(np.percentile(error, 90)), float(error.max()), bias)
    median, p90, worst, mean = (round(figure, 2) for figure in figures)
    return median, p90, worst, mean
