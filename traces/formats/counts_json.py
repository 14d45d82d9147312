"""Counts in JSON: ``logical_count`` as SGLang's ``--init-expert-location`` reads it, or bare lists.

* ``{"logical_count": ...}``, or another name, if the object has no other lists of lists than these
  and a placement, ``physical_to_logical_map``;
* or the lists alone.

The lists are [layers][experts], one step, or [steps][layers][experts]. Counts are whole numbers of
tokens. ``top_k`` is not in the file. SGLang numbers all layers of the model: layers whose counts
are 0 in every step are taken for dense ones and left out. The provenance then names those kept
(``layers``) and those left out (``dense layers``). Steps without any token are unfilled rows of
SGLang's ring buffer and are left out, too. ``time_s`` beside the lists of steps, the second at
which each step starts, is kept. Other keys are not read.

The reader holds some steps at a time. It reads a file of several steps twice, since a layer is
dense only if no later step has tokens in it.
"""

import re
import reprlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import steps_at_once
from traces.formats.json_elements import ASIDE_BYTES, elements, names_of_arrays
from traces.formats.model_layers import checked_used, layer_note
from traces.header import check_range, whole_numbers
from traces.routing import AXES, RoutingTrace
from traces.step_times import checked_times

KEY = "logical_count"
PLACEMENT, TIMES = "physical_to_logical_map", "time_s"
FIRST_BYTES = ASIDE_BYTES
BARE = re.compile(rb"\s*\[\s*\[\s*(\[\s*)?-?\d")
LAYOUT = "give [layers][experts] or [steps][layers][experts]"


def recognises(path: Path) -> bool:
    """Whether it is a JSON that names lists of lists, or one that begins with lists of counts.

    Lists of three levels may as well be chosen experts; counts are the usual content.
    """
    try:
        if path.suffix != ".json" or not path.is_file():
            return False
        first = _first(path)
    except OSError:
        return False
    return BARE.match(first) is not None or _name(first) is not None


def _name(first: bytes) -> str | None:
    """Return the name of the counts in the object that begins so, None if that is not clear."""
    names = [name for name in names_of_arrays(first) if name != PLACEMENT]
    return KEY if KEY in names else names[0] if len(names) == 1 else None


def _key(first: bytes) -> str | None:
    """Return the name of the counts, None for bare lists."""
    if first.lstrip()[:1] != b"{":
        return None
    name, names = _name(first), names_of_arrays(first)
    if name is None and names == [PLACEMENT]:
        raise ValueError(f"holds a placement, {PLACEMENT}, and no counts; give counts, {KEY!r}")
    if name is None and names:
        raise _several(names)
    return name or KEY  # elements() says that it is not there


def _several(names: Iterable[str]) -> ValueError:
    return ValueError(f"holds the lists {', '.join(names)}; name those of the counts {KEY!r}")


def _check_only(path: Path, around: dict[str, Any]) -> None:
    """Refuse other lists of lists that follow counts of an unusual name, however far behind."""
    others = [
        name
        for name, value in around.items()
        if name != PLACEMENT and isinstance(value, list) and value and isinstance(value[0], list)
    ]
    if others and _key(_first(path)) != KEY:
        raise _several([str(_key(_first(path))), *others])


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FIRST_BYTES)


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the counts, some steps at a time."""
    if path.is_dir():
        raise ValueError("is a folder; give one JSON file, or several files as conditions")
    top_k = about.needed_top_k()
    used: NDArray[np.bool_] = np.zeros(1, dtype=bool)
    around: dict[str, Any] = {}
    total = start = 0
    for chunk in _chunks(path, around):
        _check_experts(chunk.shape[2], about)
        used = used | np.any(chunk, axis=(0, 2))
        total += len(chunk)
    _check_only(path, around)
    note = _note(checked_used(used, "counts"))
    times = None if around.get(TIMES) is None else checked_times(around[TIMES], total)
    for chunk in _chunks(path, {}):
        busy, stop = chunk.any(axis=(1, 2)), start + len(chunk)
        if busy.any():
            at = None if times is None else times[start:stop][busy]
            steps = chunk[busy][:, used]
            yield RoutingTrace(steps, about.model, top_k, about.phase, provenance=note, time_s=at)
        start = stop


def _check_experts(experts: int, about: About) -> None:
    if about.experts not in (None, experts):
        raise ValueError(
            f"a layer has {experts} numbers, not experts = {about.experts}; give the number of "
            "counts, or read chosen experts as the format 'selection-json'"
        )


def _note(used: NDArray[np.bool_]) -> dict[str, str]:
    """Return which layers are left out and kept, if the file numbers all layers of the model."""
    if used.all():
        return {}
    return layer_note(used) | {"dense layers": " ".join(map(str, np.flatnonzero(~used)))}


def _chunks(path: Path, around: dict[str, Any]) -> Iterator[NDArray[Any]]:
    """Yield [steps, layers, experts] of all layers, checked; fill in what is around them."""
    rest = elements(path, _key(_first(path)), constants=True, around=around)
    head = next(rest)  # elements() raises ValueError if there is none
    if not isinstance(head, list) or not head:
        raise ValueError(f"element 0 is {reprlib.repr(head)}; {LAYOUT}")
    whole = chain([head], rest)
    if isinstance(head[0], list):
        yield from _steps(whole)
    else:
        yield _one_step(whole)


def _one_step(layers: Iterable[Any]) -> NDArray[Any]:
    rows: list[list[float]] = []
    for number, layer in enumerate(layers):
        rows.append(_row(layer, f"layer {number}", rows))
        steps_at_once(len(rows), len(rows[0]))
    return _checked(rows, AXES[1:])[None]


def _steps(steps: Iterable[Any]) -> Iterator[NDArray[Any]]:
    held: list[NDArray[Any]] = []
    shape: tuple[int, ...] = ()
    for number, element in enumerate(steps):
        step = _step(element, number)
        shape = shape or step.shape
        if step.shape != shape:
            raise ValueError(
                f"step {number} has shape {step.shape}, step 0 has {shape}; every step has the "
                "same [layers][experts]"
            )
        held.append(step)
        if len(held) == steps_at_once(*shape):
            yield np.stack(held)
            held = []
    if held:
        yield np.stack(held)


def _step(element: Any, number: int) -> NDArray[Any]:
    """Return [layers, experts] of a step."""
    if not isinstance(element, list) or not element:
        raise ValueError(f"step {number} is {reprlib.repr(element)}; give [layers][experts]")
    rows: list[list[float]] = []
    for layer, row in enumerate(element):
        rows.append(_row(row, f"step {number}, layer {layer}", rows))
    steps_at_once(len(rows), len(rows[0]))
    return _checked([rows], AXES, number)[0]


def _row(row: Any, place: str, before: list[list[float]]) -> list[float]:
    if not isinstance(row, list) or not row:
        raise ValueError(f"{place} is {reprlib.repr(row)}; give the counts of its experts")
    if set(map(type, row)) - {int, float}:
        index = next(n for n, count in enumerate(row) if type(count) not in (int, float))
        raise ValueError(
            f"{place}, expert {index} is {reprlib.repr(row[index])}, no number of tokens; {LAYOUT}"
        )
    if before and len(row) != len(before[0]):
        raise ValueError(
            f"{place} has {len(row)} counts, layer 0 has {len(before[0])}; give one for every "
            "expert of every layer, 0 in dense layers"
        )
    return row


def _checked(rows: list[Any], axes: tuple[str, ...], first: int = 0) -> NDArray[Any]:
    """Return counts as int32; errors name the place in the file, dense layers counted."""
    counts = np.asarray(rows)
    hint = "a count is a number of tokens"
    if counts.dtype == object:  # whole numbers beyond 64 bits
        check_range(counts, "counts", axes, 2**31, hint, first)
    whole = whole_numbers(counts, "counts", axes, first)
    check_range(whole, "counts", axes, 2**31, hint, first)
    return whole.astype(np.int32)
