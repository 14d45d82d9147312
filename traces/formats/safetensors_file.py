"""The safetensors layout: named arrays of plain numbers behind a JSON header.

Eight bytes, little-endian: the header's length. Then the header, a JSON object: by name the
``dtype``, ``shape`` and ``data_offsets`` [begin, end) of each array, counted from the header's end,
and perhaps ``__metadata__``. Then the arrays, little-endian and row-major, without gaps. (Hugging
Face, safetensors, "Format".) It is short enough to be read here: the library is no dependency.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 100 * 2**20  # the library's own limit
DTYPES = {
    "I8": "<i1",
    "U8": "<u1",
    "I16": "<i2",
    "U16": "<u2",
    "I32": "<i4",
    "U32": "<u4",
    "I64": "<i8",
    "U64": "<u8",
    "F32": "<f4",
    "F64": "<f8",
}


class SafetensorsFile:
    """The arrays of one file, read when they are asked for; it stays open until :meth:`close`.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ValueError
        If it is none, is cut short or damaged, or an array is not of plain integers or floats.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        try:
            self._read_header(path.stat().st_size)
        except BaseException:
            self.close()
            raise

    def _read_header(self, size: int) -> None:
        length = int.from_bytes(self._file.read(8), "little")
        if size < 8 or length > min(size - 8, HEADER_BYTES):
            raise self._wrong(f"its header would be {length} bytes of {size}; it is cut short")
        try:
            header = json.loads(self._file.read(length).decode())
        except (ValueError, RecursionError) as error:
            raise self._wrong(f"its header is no JSON ({error})") from None
        if not isinstance(header, dict):
            raise self._wrong("its header is no object")
        header.pop("__metadata__", None)
        self._start = 8 + length
        self._shapes: dict[tuple[int, ...], tuple[int, ...]] = {}  # one object for all of a shape
        self._entries = {name: self._entry(name, entry) for name, entry in header.items()}
        self._check_gapless(size - self._start)

    def close(self) -> None:
        """Close the file; nothing can be read any more."""
        self._file.close()

    def _wrong(self, reason: str) -> ValueError:
        return ValueError(f"{self._path.name} is no whole safetensors file: {reason}")

    def _entry(self, name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
        try:
            kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        except (KeyError, TypeError, ValueError):
            raise self._wrong(f"{name!r} lacks dtype, shape or data_offsets") from None
        if not isinstance(kind, str) or kind not in DTYPES:
            raise self._wrong(f"{name!r} is of {kind!r}; integers and floats are read")
        if not isinstance(shape, list):
            raise self._wrong(f"{name!r} has shape {shape!r}")
        whole = [*shape, begin, end]
        if any(type(number) is not int or number < 0 for number in whole):
            raise self._wrong(f"{name!r} has shape {shape} at {begin} to {end}")
        dtype, wanted = np.dtype(DTYPES[kind]), 1
        for axis in shape:
            wanted *= axis
        if end - begin != wanted * dtype.itemsize:
            raise self._wrong(f"{name!r} of {wanted} {kind} is at {begin} to {end}")
        return dtype, self._shapes.setdefault(tuple(shape), tuple(shape)), begin, end

    def _check_gapless(self, size: int) -> None:
        at = 0
        for name, (_, _, begin, end) in sorted(self._entries.items(), key=lambda e: e[1][2:]):
            if begin != at:
                raise self._wrong(f"{name!r} begins at {begin}, the one before it ends at {at}")
            at = end
        if at != size:
            raise self._wrong(f"it has {size} bytes of arrays, its header names {at}")

    def names(self) -> list[str]:
        """Return the names of the arrays."""
        return list(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return self._entries[name][1]

    def read(self, name: str) -> NDArray[Any]:
        """Return an array.

        Raises
        ------
        ValueError
            If the file became shorter meanwhile.
        """
        dtype, shape, begin, end = self._entries[name]
        self._file.seek(self._start + begin)
        data = self._file.read(end - begin)
        if len(data) != end - begin:
            raise self._wrong(f"{name!r} ends early")
        return np.frombuffer(data, dtype).reshape(shape)


def wrap(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of such a file."""
    kinds = {np.dtype(code): kind for kind, code in DTYPES.items()}
    header, at = {}, 0
    for name, array in arrays.items():
        end = at + array.nbytes
        header[name] = {
            "dtype": kinds[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header).encode()
    data = [np.ascontiguousarray(a, a.dtype.newbyteorder("<")).tobytes() for a in arrays.values()]
    return len(text).to_bytes(8, "little") + text + b"".join(data)
