"""A picture of plain pixels as PNG, to be put into an SVG."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of 8 bits a channel (ISO/IEC 15948), rows unfiltered.

    Parameters
    ----------
    pixels
        [rows, columns, 3] red, green, blue.

    Raises
    ------
    ValueError
        If it has another shape or type, or is empty.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}; give uint8 [rows, columns, 3]")
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return :func:`encode` as a ``data:`` URI."""
    return "data:image/png;base64," + base64.b64encode(encode(pixels)).decode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
