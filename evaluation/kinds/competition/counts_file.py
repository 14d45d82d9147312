"""Counts of the balancing competition from a file, mapped into memory and checked."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer

#: Largest count of an int32 trace.
MOST_COUNT = int(np.iinfo(np.int32).max)

#: First bytes of a ``.npy`` file, by numpy's format specification.
MAGIC = b"\x93NUMPY"


def recorded_counts(path: Path, iterations: int | None = None) -> NDArray[np.int32]:
    """Return [iterations, layers, experts] counts of a ``.npy`` file, read-only.

    The file is read once, an iteration at a time, to check it. Counts of 32 bits, as the protocol
    has them, then stay in the file and are mapped into memory; others are converted in memory.

    Parameters
    ----------
    path
        A file as :func:`numpy.save` writes it; of integers, or of floats that are whole.
    iterations
        Number of first iterations to read; ``None``: all.

    Raises
    ------
    ValueError, OSError
        Naming the file, if it is missing or no ``.npy`` file, holds Python objects, has another
        dimension or an empty axis, fewer iterations than asked for, or a count that is negative,
        not whole or more than an int32 holds.
    """
    try:
        counts = _cut(_mapped(path), iterations)
        for iteration, by_layer in enumerate(counts):
            _check(by_layer, iteration)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    converted = counts.astype(np.int32, copy=False)
    converted.flags.writeable = False
    return converted


def _mapped(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start != MAGIC:
        raise ValueError(f"begins with {start!r} and not as a .npy file; write it by numpy.save")
    try:
        counts: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:  # Python objects, or a file that was cut off
        raise ValueError(f"{error}; write numbers by numpy.save") from None
    return counts


def _cut(counts: NDArray[Any], iterations: int | None) -> NDArray[Any]:
    if counts.ndim != 3:
        raise ValueError(
            f"has shape {counts.shape} of {counts.ndim} axes, and 3 are needed; "
            "give [iterations, layers, experts]"
        )
    if counts.size == 0:
        raise ValueError(
            f"has shape {counts.shape}; no axis of [iterations, layers, experts] may be 0"
        )
    if counts.dtype.kind not in "iuf":
        raise ValueError(f"has dtype {counts.dtype}; give integers")
    if iterations is None:
        return counts
    length = checked_integer(iterations, "iterations", at_least=1)
    if length > len(counts):
        raise ValueError(
            f"iterations = {length} > {len(counts)} that it has; give at most {len(counts)}"
        )
    return counts[:length]


def _check(counts: NDArray[Any], iteration: int) -> None:
    """Refuse the first count of an iteration that an int32 cannot hold exactly."""
    fits = (counts >= 0) & (counts <= MOST_COUNT)
    if counts.dtype.kind == "f":
        fits &= counts == np.floor(counts)
    if fits.all():
        return
    layer, expert = np.argwhere(~fits)[0]
    count = counts[layer, expert]
    wrong = "< 0" if count < 0 else f"> {MOST_COUNT}" if count > MOST_COUNT else "is not whole"
    raise ValueError(
        f"iteration {iteration}, layer {layer}, expert {expert}: count {count} {wrong}; "
        f"give whole numbers from 0 to {MOST_COUNT}"
    )
