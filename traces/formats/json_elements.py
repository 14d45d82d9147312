"""Read a long JSON array element by element, with one element in memory."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

CHUNK_BYTES = 4 * 2**20
ASIDE_BYTES = 2**20  # of an object, before and after its array
ELEMENT_BYTES = 256 * 2**20
DEPTH = 16

_ARRAY_OF_ARRAYS = re.compile(rb'"(?P<key>[^"\\]{1,200})"\s*:\s*\[\s*\[')
_CHANGE = np.zeros(256, dtype=np.int8)  # of depth, by byte; a quote is marked but changes nothing
_CHANGE[list(b"[{")], _CHANGE[list(b"]}")] = 1, -1
_MARKED = _CHANGE != 0
_MARKED[ord('"')] = True


def elements(
    path: Path,
    key: str | None = None,
    *,
    constants: bool = False,
    around: dict[str, Any] | None = None,
) -> Iterator[Any]:
    """Yield the elements of the array that a file holds, or that its object holds under ``key``.

    Elements are arrays or objects.

    Parameters
    ----------
    path
        The file.
    key
        Name of the array in the object that the file holds; None if the file holds the array.
    constants
        Read NaN and Infinity as floats, for callers that say where they are.
    around
        Filled, after the last element, with what the object holds beside the array.

    Raises
    ------
    ValueError
        If the file is no such JSON, is cut short, holds NaN or Infinity unless these are read, or
        has nothing in the array; elements are numbered from 0.
    """
    with path.open("rb") as file:
        head = file.read(ASIDE_BYTES)
        match = re.search(_opening(key), head)
        if match is None:
            what = f"an object with an array {key!r}" if key else "an array"
            raise ValueError(f"is no JSON of {what}; give that")
        aside = [head[: match.end()]]
        number = 0
        for text in _split(head[match.end() :], file, aside):
            parsed = _parsed(text, number, constants)
            if not isinstance(parsed, list | dict):
                raise ValueError(f"element {number} is {parsed!r}; give arrays or objects")
            yield parsed
            number += 1
    outer = _parsed(b"".join(aside), None, constants)
    if outer != [] and (not isinstance(outer, dict) or outer.get(key) != []):
        raise ValueError(f"the array {key!r} is not of the outermost object; move it there")
    if not number:
        raise ValueError("the array is empty; there is nothing to read")
    if around is not None and isinstance(outer, dict):
        around.update((name, value) for name, value in outer.items() if name != key)


def _opening(key: str | None) -> bytes:
    if key is None:
        return rb"\A\s*\["
    return b'"' + re.escape(key.encode()) + rb'"\s*:\s*\['


def _parsed(text: bytes, number: int | None, constants: bool) -> Any:
    try:
        read = float if constants else _refuse_constant
        return json.loads(text.decode(), parse_constant=read)
    except (ValueError, RecursionError) as error:
        place = "what is around the array" if number is None else f"element {number}"
        raise ValueError(f"{place} is no JSON: {error}; write the file again") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _split(first: bytes, file: IO[bytes], aside: list[bytes]) -> Iterator[bytes]:
    """Yield the text of each element; what follows the array, its bracket first, goes to aside."""
    depth, quoted, number = 1, False, 0
    held: list[bytes] = []
    held_bytes = 0
    chunk = first or file.read(CHUNK_BYTES)
    while chunk:
        while _ends_escaped(chunk) and (more := file.read(1)):
            chunk += more
        places, depths, quoted = _marks(chunk, depth, quoted)
        if depths.size and depths.max() > DEPTH:
            raise ValueError(
                f"in element {number} or soon after, lists are nested deeper than {DEPTH}; give "
                "the array as its format says"
            )
        start = 0
        for end in places[_ends(depths, depth)] + 1:
            text = b"".join([*held, chunk[start:end]])
            yield _without_comma(text, number)
            held, held_bytes, start = [], 0, int(end)
            number += 1
        if depths.size and depths.min() < 1:
            close = int(places[np.argmax(depths < 1)])
            between = b"".join([*held, chunk[start:close]])
            if between.strip() and not number:
                raise ValueError(f"the array holds {between[:20]!r}; give arrays or objects")
            if between.strip():
                raise ValueError(f"{between[:20]!r} follows element {number - 1}; end the array")
            aside.append(chunk[close:])
            aside.append(file.read(ASIDE_BYTES))
            return
        if depths.size:
            depth = int(depths[-1])
        held.append(chunk[start:])
        held_bytes += len(chunk) - start
        if held_bytes > ELEMENT_BYTES:
            raise ValueError(f"element {number} is longer than {ELEMENT_BYTES} bytes")
        chunk = file.read(CHUNK_BYTES)
    raise ValueError(f"is cut short in element {number}; copy or write it again")


def names_of_arrays(head: bytes) -> list[str]:
    """Return the keys of the outermost object under which arrays of arrays begin in ``head``."""
    if not head.lstrip().startswith(b"{"):
        return []
    places, depths, _ = _marks(head, 0, False)
    found = []
    for match in _ARRAY_OF_ARRAYS.finditer(head):
        before = int(np.searchsorted(places, match.start()))
        if before and depths[before - 1] == 1:
            with suppress(UnicodeDecodeError):  # the file is damaged, and no name is UTF-8
                found.append(match["key"].decode())
    return found


def _ends_escaped(chunk: bytes) -> bool:
    return (len(chunk) - len(chunk.rstrip(b"\\"))) % 2 == 1


def _marks(
    chunk: bytes, depth: int, quoted: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return where brackets are outside of text, the depth after each, and whether text goes on."""
    plain = re.sub(rb"\\.", b"__", chunk, flags=re.DOTALL) if b"\\" in chunk else chunk
    codes = np.frombuffer(plain, np.uint8)
    places = np.flatnonzero(_MARKED[codes])
    found = codes[places]
    inside = np.logical_xor.accumulate(np.append(quoted, found == ord('"')))[1:]
    bracket = (found != ord('"')) & ~inside
    depths = depth + np.cumsum(_CHANGE[found[bracket]], dtype=np.int64)
    return places[bracket], depths, bool(inside[-1]) if len(inside) else quoted


def _ends(depths: NDArray[np.int64], before: int) -> NDArray[np.bool_]:
    """Whether each bracket ends an element, before the array itself ends."""
    falls = np.diff(depths, prepend=before) < 0
    inside = np.logical_and.accumulate(depths > 0)
    return (depths == 1) & falls & inside


def _without_comma(text: bytes, number: int) -> bytes:
    text = text.lstrip()
    if not number:
        return text
    if not text.startswith(b","):
        raise ValueError(f"no comma is between elements {number - 1} and {number}")
    return text[1:]


def numbers(value: Any, name: str) -> NDArray[Any]:
    """Return nested lists of numbers as an array.

    Raises
    ------
    ValueError
        If they are ragged, or hold a truth value, text or null.
    """
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is ragged; give lists of one length") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds other things than numbers ({array.dtype}); give integers")
    if array.size and array.max() <= 1 and _has_truth(value):  # numpy takes true for 1
        raise ValueError(f"{name} holds true or false; give integers")
    return array


def _has_truth(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_truth, value))
    return isinstance(value, bool)
