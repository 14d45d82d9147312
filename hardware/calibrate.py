"""Fit the constants of a device's kernels to measured tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware import rooflines
from hardware.device import Device
from hardware.kernels import Kernels

Array = NDArray[np.float64]
Row = Mapping[str, Any]

#: Which constants each operator's rows decide; (start, least, most), times in microseconds.
FITTED: dict[str, dict[str, tuple[float, float, float]]] = {
    "gemm": {
        "launch_s": (5.0, 0.0, 1e4),
        "memory": (0.8, 1e-4, 1.0),
        "compute": (0.7, 1e-4, 1.0),
        "core_bytes_per_s": (150.0, 1e-3, 1e5),
    },
    "grouped_gemm": {
        "grouped_launch_s": (10.0, 0.0, 1e4),
        "memory": (0.8, 1e-4, 1.0),
        "grouped_compute": (0.65, 1e-4, 1.0),
    },
    "attention_decode": {
        "attention_launch_s": (20.0, 0.0, 1e4),
        "attention_memory": (0.85, 1e-4, 1.0),
        "attention_compute": (0.6, 1e-4, 1.0),
    },
    "attention_prefill": {
        "attention_launch_s": (20.0, 0.0, 1e4),
        "prefill_compute": (0.6, 1e-4, 1.0),
    },
}
DEFAULTS = {field.name: field.default for field in fields(Kernels)}
SCALE = {"launch_s": 1e-6, "grouped_launch_s": 1e-6, "attention_launch_s": 1e-6}
SCALE |= {"core_bytes_per_s": 1e9}


def predict_s(device: Device, row: Row) -> float:
    """Predicted seconds of one measured kernel on a device.

    Raises
    ------
    ValueError
        If the row's operator is not one of ``FITTED``.
    """
    kernel = KERNELS.get(row["operator"])
    if kernel is None:
        raise ValueError(
            f"operator = {row['operator']!r} is not one of {', '.join(KERNELS)}; leave the row out"
        )
    return float(kernel(device, row))


def fit(
    device: Device, rows: Sequence[Row], name: str, source: str, keep: Sequence[str] = ()
) -> Kernels:
    """Fit a device's kernel constants to rows of :func:`hardware.measure.read_rows`.

    The logarithms of predicted over measured are made small, so that every row counts by its
    relative error; a soft loss keeps outliers of a table from bending the rest. Constants that no
    row decides stay as the device has them: latent attention with 128 heads, for example, is bound
    by compute wherever memory matters, and says nothing about memory.

    Parameters
    ----------
    device
        Peaks, and the constants to start from.
    rows
        Measured kernels.
    name, source
        Of the result.
    keep
        Constants to leave as the device has them.

    Returns
    -------
    Kernels
        With the residuals of every operator.

    Raises
    ------
    ValueError
        If no row has an operator that a fit knows, or ``keep`` names no constant.
    """
    from scipy.optimize import least_squares

    known = [row for row in rows if row["operator"] in FITTED]
    if not known:
        raise ValueError(f"none of {len(rows)} rows has an operator of {', '.join(FITTED)}")
    constants = {key for bounds in FITTED.values() for key in bounds}
    if unknown := set(keep) - constants:
        raise ValueError(f"keep = {sorted(unknown)}: constants are {', '.join(sorted(constants))}")
    operators = sorted({row["operator"] for row in known})
    wanted = {key: bounds for one in operators for key, bounds in FITTED[one].items()}
    # A constant that no row moves would end anywhere.
    wanted = {
        key: b for key, b in wanted.items() if key not in keep and _decides(device, known, key)
    }
    scale = np.array([SCALE.get(key, 1.0) for key in wanted])
    start, least, most = np.array(list(wanted.values())).T

    def fitted(values: Array) -> Device:
        constants = dict(zip(wanted, (values * scale).tolist(), strict=True))
        return replace(device, kernels=replace(device.kernels, **constants))

    def errors(values: Array) -> Array:
        return np.log(_ratios(fitted(values), known))

    # Errors beyond about 20 % count linearly. Constants differ by orders of magnitude, so that
    # steps are relative to their start.
    options = {"bounds": (least, most), "loss": "soft_l1", "f_scale": 0.2, "x_scale": start}
    kernels = fitted(_rounded(least_squares(errors, start, **options).x)).kernels
    tuned = replace(device, kernels=kernels)
    return replace(kernels, name=name, source=source, residuals=residuals(tuned, known))


def _decides(device: Device, rows: Sequence[Row], constant: str) -> bool:
    """Whether the time of any row depends on a constant; others are not fitted."""
    value = getattr(device.kernels, constant)
    # Infinite is "no limit", which no change of 20 % would show.
    if not np.isfinite(value):
        return True
    moved = replace(device, kernels=replace(device.kernels, **{constant: 0.8 * value + 1e-9}))
    return bool((np.abs(_ratios(moved, rows) / _ratios(device, rows) - 1) > 1e-3).any())


def residuals(device: Device, rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return the median and the worst relative error, and the number of rows, by operator."""
    found = {}
    for operator in dict.fromkeys(row["operator"] for row in rows):
        mine = [row for row in rows if row["operator"] == operator]
        error = np.abs(_ratios(device, mine) - 1)
        median, worst = float(np.median(error)), float(error.max())
        found[operator] = {"median": round(median, 4), "worst": round(worst, 4), "rows": len(mine)}
    return found


def _rounded(values: Array) -> Array:
    """Round to three digits: further ones would not reproduce on another machine."""
    return np.array([float(f"{value:.3g}") for value in values])


def _ratios(device: Device, rows: Sequence[Row]) -> Array:
    predicted = np.array([predict_s(device, row) for row in rows])
    ratios: Array = predicted / (np.array([row["latency_us"] for row in rows]) * 1e-6)
    return ratios


def _gemm(device: Device, row: Row) -> Array:
    return rooflines.product_s(device, row["m"], row["k"], row["n"], row["format"])


def _grouped(device: Device, row: Row) -> Array:
    """One grouped product; below a token an expert, only so many experts are touched."""
    size = rooflines.FORMAT_BYTES[row["format"]]
    weights, groups = row["k"] * row["n"], row["groups"]
    each = size * row["k"] + 2.0 * row["n"]
    memory = groups * rooflines.grouped_memory_s(device, row["m"], size * weights, each)
    # Below a token for each expert, some experts get one token and the others none.
    touched = groups * min(row["m"], 1.0)
    tokens = max(row["m"], 1.0)
    compute = touched * rooflines.grouped_compute_s(device, tokens, weights, row["format"])
    return device.kernels.grouped_launch_s + device.kernels.joined(memory, compute)


def _decode(device: Device, row: Row) -> Array:
    """Latent attention where all heads share one vector, else grouped queries."""
    context, widths = row["batch"] * row["kv_tokens"], row["width"] + row["v_width"]
    latent = not row["groups"]
    element = rooflines.cached_bytes(device, row["format"], latent)
    flops = context * rooflines.score_flops(device, row["heads"], widths, latent)
    width = row["width"] if latent else row["groups"] * widths
    queries = 2.0 * row["batch"] * row["heads"] * widths
    return rooflines.decode_attention_s(device, context * width * element, queries, flops)


def _prefill(device: Device, row: Row) -> Array:
    """Causal: a token attends to half of the others on average."""
    context = row["batch"] * row["kv_tokens"] * (row["kv_tokens"] + 1) / 2
    flops = 2.0 * context * row["heads"] * (row["width"] + row["v_width"])
    return rooflines.prefill_attention_s(device, flops)


KERNELS: dict[str, Callable[[Device, Row], Array]] = {
    "gemm": _gemm,
    "grouped_gemm": _grouped,
    "attention_decode": _decode,
    "attention_prefill": _prefill,
}


def to_toml(kernels: Kernels, header: str = "") -> str:
    """Return the TOML text of a kernels preset, or under ``header`` of a table in a device's."""
    lines = [f"[{header}]"] if header else []
    for name, value in vars(kernels).items():
        # What is not used is not written: no residuals of a fit, no limit, no cost.
        if name == "residuals" or value == DEFAULTS.get(name):
            continue
        lines.append(f"{name} = {_toml(value)}")
    for operator, errors in kernels.residuals.items():
        table = ".".join(part for part in (header, "residuals", operator) if part)
        lines += ["", f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in errors.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def own_device(
    name: str, figures: Mapping[str, Any], rows: Sequence[Row], kernels: Kernels
) -> Device:
    """Return a device whose peaks are the best that was measured on it.

    Without a data sheet, the fastest product of each format and the fastest copy stand for the
    peaks; the fitted fractions are then fractions of these.

    Parameters
    ----------
    name
        Of the device.
    figures
        ``memory_bytes``, from :func:`hardware.measure.device_figures`.
    rows
        Measured, products and copies among them.
    kernels
        Constants that a fit starts from.

    Raises
    ------
    ValueError
        If there are no products or no copies among the rows.
    """
    flops: dict[str, float] = {}
    bandwidth = 0.0
    for row in rows:
        seconds = row["latency_us"] * 1e-6
        if row["operator"] in ("gemm", "grouped_gemm"):
            rate = 2.0 * row["m"] * row["k"] * row["n"] * max(row["groups"], 1) / seconds
            flops[row["format"]] = max(flops.get(row["format"], 0.0), rate)
        if row["operator"] == "memory":
            bandwidth = max(bandwidth, row["n"] / seconds)
    if not flops or not bandwidth:
        raise ValueError("there are no timings of products, or none of memory; measure both")
    flops.setdefault("bf16", max(flops.values()))  # attention is priced in 16 bits
    peaks = {form: float(f"{rate:.4g}") for form, rate in flops.items()}
    memory = float(figures["memory_bytes"])
    source = f"measured by podlab calibrate --measure: {len(rows)} timings"
    return Device(name, source, peaks, memory, float(f"{bandwidth:.4g}"), kernels)


def device_toml(device: Device) -> str:
    """Return the TOML text of a device preset, its kernels in a table."""
    own = {
        key: value
        for key, value in vars(device).items()
        if key not in ("flops", "kernels") and value != ""
    }
    lines = [f"{key} = {_toml(value)}" for key, value in own.items()]
    lines += ["", "[flops]", *(f"{form} = {_toml(rate)}" for form, rate in device.flops.items())]
    return "\n".join(lines) + "\n\n" + to_toml(device.kernels, "kernels")
