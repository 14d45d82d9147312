"""The messages between sandbox and program: frames of plain bytes, never pickles.

A frame is a header (``HEADER``) and a payload. The parent sends ASK with a problem. The child sends
READY once, and then ANSWER, INFEASIBLE or FAILURE with the number of the call. The parent checks
kind, number and length before it reads a payload, because a program may write to the pipe itself.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb

#: Kinds of frames: the file is loaded; a problem; a table of slots; the text of an error; the text
#: of what is wrong with an answer.
READY, ASK, ANSWER, FAILURE, INFEASIBLE = range(1, 6)

#: Magic bytes, kind, number of the call, length of the payload.
HEADER = struct.Struct("<4sBxxxIQ")
MAGIC = b"plb1"

#: Layers, slots and length of the layer order, before the int64 numbers of an answer.
SHAPE = struct.Struct("<III")

#: Largest payload that holds a text.
MAX_TEXT_BYTES = 16_384

SCALARS = ("num_ranks", "slots_per_rank", "ranks_per_node", "expert_groups", "max_moves")
ADVICE = ("dispatcher", "move_price")
ARRAYS = (
    "load",
    "rank_speed",
    "coactivation",
    "source_load",
    "rank_distance",
    "forecast",
    "expert_cost",
)


@dataclass(frozen=True)
class Frame:
    """The header of a message: kind, number of the call, and bytes of the payload."""

    kind: int
    call: int
    length: int


def header(kind: int, call: int, length: int) -> bytes:
    """Return the header of a frame as bytes."""
    return HEADER.pack(MAGIC, kind, call, length)


def parse_header(raw: bytes | bytearray) -> Frame:
    """Return the header that bytes encode.

    Raises
    ------
    ValueError
        If the bytes are no header.
    """
    magic, kind, call, length = HEADER.unpack(raw)
    if magic != MAGIC:
        raise ValueError(f"it answered with bytes that begin {magic!r} and are no frame")
    return Frame(kind, call, length)


def pack_problem(problem: lb.Problem, changes: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """Return a problem as bytes: one line of JSON, then its arrays.

    Parameters
    ----------
    problem
        The problem.
    changes
        Arrays that replace those of the problem, by name; "current" is the table of slots.
    """
    fields = {name: getattr(problem, name) for name in ARRAYS}
    if problem.current is not None:
        fields["current"] = problem.current.physical_to_logical
    fields |= changes or {}
    arrays = [
        (name, np.ascontiguousarray(array, dtype=_dtype(name)))
        for name, array in fields.items()
        if array is not None
    ]
    head = {
        "fields": {name: getattr(problem, name) for name in (*SCALARS, *ADVICE)},
        "arrays": [(name, array.shape) for name, array in arrays],
    }
    return b"".join([json.dumps(head).encode(), b"\n", *(array.data for _, array in arrays)])


def _dtype(name: str) -> str:
    return "<i8" if name == "current" else "<f8"


def unpack_problem(
    raw: bytes | bytearray,
) -> tuple[dict[str, Any], NDArray[np.int64] | None]:
    """Return the arguments of a problem, and [layers, slots] expert of each loaded slot."""
    line, _, rest = raw.partition(b"\n")
    head = json.loads(line)
    arguments: dict[str, Any] = dict(head["fields"])
    loaded, offset = None, 0
    for name, shape in head["arrays"]:
        size = int(np.prod(shape))
        array = np.frombuffer(rest, _dtype(name), size, offset).reshape(shape)
        offset += array.nbytes
        if name == "current":
            loaded = array
        else:
            arguments[name] = array
    return arguments, loaded


def max_answer_bytes(shape: tuple[int, int]) -> int:
    """Return the size of the largest answer to a problem with this [layers, slots] shape."""
    return SHAPE.size + 8 * shape[0] * (shape[1] + 1)


def pack_table(table: NDArray[np.int64], order: Sequence[int] = ()) -> bytes:
    """Return a table of slots and an order of layers as bytes."""
    numbers = np.concatenate([np.ravel(table), np.asarray(order, dtype=np.int64)])
    return SHAPE.pack(*table.shape, len(order)) + numbers.astype("<i8").tobytes()


def unpack_table(raw: bytes, shape: tuple[int, int]) -> tuple[NDArray[np.int64], list[int]]:
    """Return [layers, slots] table and order of layers of an answer with exactly this shape.

    Raises
    ------
    Infeasible
        If the answer has another shape.
    """
    size = shape[0] * shape[1]
    sizes = SHAPE.unpack(raw[: SHAPE.size]) if len(raw) >= SHAPE.size else (0, 0, 0)
    if sizes[:2] != shape or len(raw) != SHAPE.size + 8 * (size + sizes[2]):
        raise lb.Infeasible(f"the answer is {len(raw)} bytes and no table of {shape}")
    numbers = np.frombuffer(raw, "<i8", offset=SHAPE.size)
    return numbers[:size].reshape(shape), numbers[size:].tolist()


def pack_text(text: str) -> bytes:
    """Return a text as bytes, cut to the largest payload of a text."""
    return text.encode("utf-8", errors="replace")[:MAX_TEXT_BYTES]


def unpack_text(raw: bytes, most: int = 2000) -> str:
    """Return a text on one line, without control characters that a terminal would obey."""
    text = raw.decode("utf-8", errors="replace")
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:most]
