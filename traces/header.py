"""Header fields of traces, and the checks that traces share."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

PHASES = ("prefill", "decode", "mixed", "unknown")


def check_header(model: str, top_k: int, experts: int, phase: str) -> None:
    """Raise ValueError unless the model is named, the phase known and 1 <= top_k <= experts."""
    if not isinstance(model, str) or not model:
        raise ValueError(f"model = {model!r}; give the model's name as a non-empty string")
    if phase not in PHASES:
        raise ValueError(f"phase = {phase!r} is not one of {', '.join(PHASES)}")
    checked_integer(top_k, "top_k")
    if not 1 <= top_k <= experts:
        raise ValueError(f"top_k = {top_k} is outside 1 <= top_k <= {experts} experts")


def checked_integer(value: Any, name: str) -> int:
    """Return ``value`` as a plain int, if it is a whole number of an integer type."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} = {value!r} is not an integer; give one")
    return int(value)


def checked_provenance(provenance: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return a read-only copy: strings to strings."""
    copy = dict(provenance or {})
    for key, text in copy.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise ValueError(f"provenance {key!r}: {text!r} is not text; give strings")
    return MappingProxyType(copy)


def whole_numbers(
    values: ArrayLike, name: str, axes: tuple[str, ...], first: int = 0
) -> NDArray[Any]:
    """Return ``values`` as an integer array with one axis per name.

    ``first`` is the number that errors give to the first entry: of a later chunk, not 0.

    Raises
    ------
    ValueError
        If the array is ragged (the first odd entry is named), has other axes, or holds fractions.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} is ragged: {_ragged_place(values, axes)}") from None
    if array.ndim != len(axes):
        raise ValueError(f"{name} has shape {array.shape}; give [{', '.join(axes)}]")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or (array != np.floor(array)).any():
            bad = np.argwhere(~np.isfinite(array) | (array != np.floor(array)))[0]
            place = _place(bad, axes, first)
            raise ValueError(f"{name} at {place} is {array[tuple(bad)]}; give integers")
        if array.size and np.abs(array).max() >= 2**62:
            bad = np.argwhere(np.abs(array) >= 2**62)[0]
            place = _place(bad, axes, first)
            raise ValueError(f"{name} at {place} is {array[tuple(bad)]}, beyond 2**62; give counts")
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {array.dtype}; give integers")
    return array


def check_range(
    array: NDArray[Any], name: str, axes: tuple[str, ...], below: int, hint: str, first: int = 0
) -> None:
    """Raise ValueError, naming the place, unless 0 <= array < below.

    ``first`` is as in :func:`whole_numbers`.
    """
    if array.size and (array.min() < 0 or array.max() >= below):
        bad = np.argwhere((array < 0) | (array >= below))[0]
        raise ValueError(
            f"{name} at {_place(bad, axes, first)} is {array[tuple(bad)]}, outside 0 <= {name} < "
            f"{below}; {hint}"
        )


def frozen(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return a read-only C-contiguous copy."""
    copy = np.array(array, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy


def header_of(kind: str, trace: Any) -> dict[str, Any]:
    """Return what a trace, in memory or stored, says about itself and its hash covers."""
    return {
        "kind": kind,
        "model": trace.model,
        "top_k": trace.top_k,
        "phase": trace.phase,
        "layers": trace.num_layers,
        "experts": trace.num_experts,
    }


def hash_of(header: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> str:
    """Return the content hash of a trace that is in memory."""
    digest = ContentHash(header)
    for name, column in columns.items():
        digest.update(name, column)
    return digest.hexdigest()


class ContentHash:
    """SHA-256 over a header and named columns, whatever the size of the blocks they come in."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._header = json.dumps(dict(header), sort_keys=True)
        self._columns: dict[str, Any] = {}

    def update(self, column: str, block: NDArray[Any]) -> None:
        """Add the next rows of a column."""
        digest = self._columns.setdefault(column, hashlib.sha256(str(block.dtype).encode()))
        digest.update(np.ascontiguousarray(block).data)

    def hexdigest(self) -> str:
        """Return the hash of everything so far."""
        parts = [self._header]
        parts += [f"{name} {self._columns[name].hexdigest()}" for name in sorted(self._columns)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _place(index: Iterable[Any], axes: tuple[str, ...], first: int = 0) -> str:
    starts = (first, *[0] * (len(axes) - 1))
    named = zip(axes, index, starts, strict=True)
    return ", ".join(f"{axis[:-1]} {i + start}" for axis, i, start in named)


def _ragged_place(values: Any, axes: tuple[str, ...]) -> str:
    """Say where nested lists first differ in length."""
    rows: list[tuple[tuple[int, ...], Any]] = [((n,), row) for n, row in enumerate(values)]
    for depth, axis in enumerate(axes[1:], start=1):
        lengths = [len(row) if hasattr(row, "__len__") else -1 for _, row in rows]
        for (place, _), length in zip(rows, lengths, strict=True):
            if length != lengths[0]:
                return (
                    f"{_place(place, axes[:depth])} has {length} {axis}, the first has "
                    f"{lengths[0]}; give every one the same number of {axis}"
                )
        if depth < len(axes) - 1:
            rows = [((*place, n), inner) for place, row in rows for n, inner in enumerate(row)]
    return f"give a rectangular array [{', '.join(axes)}]"
