"""What crosses between a program's process and ours: frames of plain bytes, never pickles."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb

#: Kinds of frames: the file is loaded; a problem; a table of slots; in words, what went wrong, and
#: what is wrong with an answer.
READY, ASK, ANSWER, FAILURE, INFEASIBLE = range(1, 6)

#: Mark, kind, number of the call, bytes that follow.
HEADER = struct.Struct("<4sBxxxIQ")
MARK = b"plb1"

#: Layers, slots and layers named in an order, before the int64 numbers of an answer.
SHAPE = struct.Struct("<III")

#: Most bytes of a frame that holds words.
MOST_WORDS = 16_384

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
    """One message: its kind, the call that it belongs to, and how many bytes it has."""

    kind: int
    call: int
    length: int


def header(kind: int, call: int, length: int) -> bytes:
    """Return the bytes before a frame's payload."""
    return HEADER.pack(MARK, kind, call, length)


def parse_header(raw: bytes | bytearray) -> Frame:
    """Return what a header says.

    Raises
    ------
    ValueError
        If it does not begin as one.
    """
    mark, kind, call, length = HEADER.unpack(raw)
    if mark != MARK:
        raise ValueError(f"it answered with bytes that begin {mark!r} and are no frame")
    return Frame(kind, call, length)


def pack_problem(problem: lb.Problem, changes: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """Return a problem as bytes: a line of JSON, then its arrays.

    Parameters
    ----------
    problem
        The problem.
    changes
        Arrays that stand in for its own, by name; of "current", the table of slots.
    """
    found = {name: getattr(problem, name) for name in ARRAYS}
    if problem.current is not None:
        found["current"] = problem.current.physical_to_logical
    found |= changes or {}
    arrays = [
        (name, np.ascontiguousarray(array, dtype=_dtype(name)))
        for name, array in found.items()
        if array is not None
    ]
    said = {
        "fields": {name: getattr(problem, name) for name in (*SCALARS, *ADVICE)},
        "arrays": [(name, array.shape) for name, array in arrays],
    }
    return b"".join([json.dumps(said).encode(), b"\n", *(array.data for _, array in arrays)])


def _dtype(name: str) -> str:
    return "<i8" if name == "current" else "<f8"


def unpack_problem(
    raw: bytes | bytearray,
) -> tuple[dict[str, Any], NDArray[np.int64] | None]:
    """Return the arguments of a problem, and [layers, slots] what is loaded now."""
    line, _, rest = raw.partition(b"\n")
    said = json.loads(line)
    arguments: dict[str, Any] = dict(said["fields"])
    loaded, at = None, 0
    for name, shape in said["arrays"]:
        size = int(np.prod(shape))
        array = np.frombuffer(rest, _dtype(name), size, at).reshape(shape)
        at += array.nbytes
        if name == "current":
            loaded = array
        else:
            arguments[name] = array
    return arguments, loaded


def most_bytes(shape: tuple[int, int]) -> int:
    """Return the bytes of the largest answer to a problem of so many layers and slots."""
    return SHAPE.size + 8 * shape[0] * (shape[1] + 1)


def pack_table(table: NDArray[np.int64], order: Sequence[int] = ()) -> bytes:
    """Return a table of slots as bytes, and layers in the order in which they are to be loaded."""
    numbers = np.concatenate([np.ravel(table), np.asarray(order, dtype=np.int64)])
    return SHAPE.pack(*table.shape, len(order)) + numbers.astype("<i8").tobytes()


def unpack_table(raw: bytes, shape: tuple[int, int]) -> tuple[NDArray[np.int64], list[int]]:
    """Return [layers, slots] an answer of exactly this shape, and its order of layers.

    Raises
    ------
    Infeasible
        If it has another shape.
    """
    size = shape[0] * shape[1]
    said = SHAPE.unpack(raw[: SHAPE.size]) if len(raw) >= SHAPE.size else (0, 0, 0)
    if said[:2] != shape or len(raw) != SHAPE.size + 8 * (size + said[2]):
        raise lb.Infeasible(f"the answer is {len(raw)} bytes and no table of {shape}")
    numbers = np.frombuffer(raw, "<i8", offset=SHAPE.size)
    return numbers[:size].reshape(shape), numbers[size:].tolist()


def pack_words(text: str) -> bytes:
    """Return words as bytes, no more than a frame of them may have."""
    return text.encode("utf-8", errors="replace")[:MOST_WORDS]


def unpack_words(raw: bytes, most: int = 2000) -> str:
    """Return words on one line, without what a terminal would obey."""
    text = raw.decode("utf-8", errors="replace")
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.split())[:most]
