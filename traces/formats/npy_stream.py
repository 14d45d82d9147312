"""The ``.npy`` layout, read front to back: a file, or a member of an ``.npz``.

numpy's format 1.0 to 3.0: a magic, a header of ``descr``, ``fortran_order`` and ``shape``, then the
items. Nothing is mapped, so that memory holds one chunk and not what the page cache keeps, and
nothing is unpickled.
"""

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

REORDERED_BYTES = 256 * 2**20  # a column-major array is read whole, up to this size


class NpyStream:
    """An array behind a readable binary file.

    Parameters
    ----------
    file
        Stands at the array's start, and is read from there on.

    Raises
    ------
    ValueError
        If it is no ``.npy``, or one of Python objects, text or other things than numbers.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            version = np.lib.format.read_magic(file)
            if version == (1, 0):
                header = np.lib.format.read_array_header_1_0(file)
            else:
                header = np.lib.format.read_array_header_2_0(file)
        except Exception as error:  # numpy's parser of a damaged header raises nearly anything
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"is no .npy file ({reason}); write it with np.save") from None
        self.shape: tuple[int, ...] = header[0]
        self._column_major: bool = header[1]
        self.dtype: np.dtype[Any] = header[2]
        if self.dtype.kind not in "iuf":
            what = "pickled objects" if self.dtype.hasobject else str(self.dtype)
            raise ValueError(f"holds {what}; give integers")
        if any(length < 0 for length in self.shape):
            raise ValueError(f"has shape {self.shape}; no axis may be negative")

    def chunks(self, rows: int) -> Iterator[NDArray[Any]]:
        """Yield ``rows`` entries of the first axis at a time, in order; an empty array as it is.

        Raises
        ------
        ValueError
            If the file ends before its shape does, or goes on after it.
        """
        if 0 in self.shape:
            yield np.empty(self.shape, self.dtype)
            return
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        if self._column_major and len(self.shape) > 1:
            if size > REORDERED_BYTES:
                raise ValueError(
                    "is in column-major order and too long to turn in memory; save "
                    "np.ascontiguousarray(array)"
                )
            whole = self._read(size, size, 0)
            yield whole.reshape(self.shape, order="F")
        else:
            row = size // self.shape[0]
            for start in range(0, self.shape[0], rows):
                length = min(rows, self.shape[0] - start)
                found = self._read(length * row, size, start * row)
                yield found.reshape(length, *self.shape[1:])
        if self._file.read(1):
            raise ValueError(f"goes on after the {size} bytes of its shape {self.shape}")

    def _read(self, wanted: int, size: int, before: int) -> NDArray[Any]:
        chunks, got = [], 0
        while got < wanted:  # a member of an archive may give less than it is asked for
            chunk = self._file.read(min(wanted - got, REORDERED_BYTES))
            if not chunk:
                raise ValueError(
                    f"ends after {before + got} of the {size} bytes of its shape {self.shape}; "
                    "copy or save it again"
                )
            chunks.append(chunk)
            got += len(chunk)
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return np.frombuffer(data, self.dtype)
