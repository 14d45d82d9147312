"""Selected experts, a JSON file a query: core12345/MoE_expert_selection_trace on Hugging Face.

A file is an array with one element for each forward pass of its query: the first is the prefill,
the others decode one token each. An element is an object of layers by their number in the model,
as text: ``null`` for a dense one, or a row of expert ids for each token of the pass. Or the file
is plainly an array of tokens, each an array of layers, each the array of its expert ids.

Source is a file, or a folder, in which all ``.json`` files are read, subfolders too, in the order
of their paths: the collection's own folders are model, benchmark and subject. Each file becomes a
sample. Where the phase is told to be "prefill" or "decode", only its passes are read. How many
experts there are is not in it.

The layout is read off the collection's card and off programs that read it; the collection itself
asks for consent before it is downloaded.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import tokens_chunk
from traces.formats.json_elements import elements, numbers
from traces.tokens import TokenTrace

LOOKS = re.compile(rb'\s*\[\s*\{\s*"\d+"\s*:\s*(null|\[)')
PASSES = 256  # that are turned into one array

Pass = tuple[tuple[str, ...], list[Any]]  # layers by name, and of each a row a token


def recognises(path: Path) -> bool:
    """Whether the file, or a folder's first ``.json``, begins with an object of numbered layers."""
    try:
        if path.is_dir():
            path = next(path.rglob("*.json"))
        if path.suffix != ".json" or not path.is_file():
            return False
        with path.open("rb") as file:
            return LOOKS.match(file.read(1024)) is not None
    except (OSError, StopIteration):
        return False


def blocks(path: Path, about: About) -> Iterator[TokenTrace]:
    """Yield a query at a time."""
    experts = about.needed_experts()
    files = [path]
    if path.is_dir():
        files = sorted(path.rglob("*.json"))
        if not files:
            raise ValueError("has no .json file, in no subfolder either; give the queries' folder")
    layers: tuple[str, ...] = ()
    top_k = 0
    empty = True
    for file in files:
        place = "" if file == path else f"{file.relative_to(path)}: "
        try:
            names, ids = _query(file, about.phase)
            if not len(ids):
                continue
            if layers and (names != layers or ids.shape[2] != top_k):
                raise ValueError(
                    f"has {len(names)} layers and {ids.shape[2]} choices, the files before it "
                    f"{len(layers)} and {top_k}; read one model at a time"
                )
            layers, top_k, empty = names, ids.shape[2], False
            yield tokens_chunk(
                ids,
                0,
                about,
                experts,
                sample_lengths=np.array([len(ids)]),
                provenance={"layers": " ".join(layers)},
            )
        except ValueError as error:
            raise ValueError(f"{place}{error}") from None
    if empty:
        raise ValueError(f"there is no token of the phase {about.phase!r}; name another or none")


def _query(path: Path, phase: str) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return the layers' names, and [tokens, layers, choices] of one file."""
    parts: list[NDArray[Any]] = []
    layers: tuple[str, ...] = ()
    held: list[list[Any]] = []
    for number, element in enumerate(elements(path)):
        if (number == 0 and phase == "decode") or (number > 0 and phase == "prefill"):
            continue
        names, rows = _layers(element, number)
        if not layers:
            layers = names
        if names != layers:
            raise ValueError(
                f"element {number} has other layers with experts than the ones before it"
            )
        held.append(rows)
        if len(held) == PASSES:
            parts += _arrays(held, number)
            held = []
    parts += _arrays(held, number)
    choices = {part.shape[2] for part in parts}
    if len(choices) > 1:
        raise ValueError(f"tokens have {sorted(choices)} choices; every one has the same number")
    empty = np.empty((0, 1, 1), dtype=np.int64)
    return layers, np.concatenate(parts) if parts else empty


def _layers(element: Any, number: int) -> Pass:
    if isinstance(element, list):
        if not element:
            raise ValueError(f"element {number} is empty; give the layers of a token")
        return tuple(map(str, range(len(element)))), [[row] for row in element]
    named = {name: rows for name, rows in element.items() if rows is not None}
    if not named or not all(name.isascii() and name.isdigit() for name in named):
        raise ValueError(f"element {number} names {list(element)[:3]}; give layers by their number")
    for name, rows in named.items():
        if not isinstance(rows, list):
            raise ValueError(f"element {number}, layer {name} is {rows!r}; give a row a token")
    names = sorted(named, key=int)
    return tuple(names), [named[name] for name in names]


def _arrays(passes: list[list[Any]], last: int) -> Iterator[NDArray[Any]]:
    """Yield [tokens, layers, choices] of passes, those of equally many tokens together."""
    number = last + 1 - len(passes)
    for _, group in groupby(passes, key=lambda rows: len(rows[0])):
        same = list(group)
        name = f"elements {number} to {number + len(same) - 1}: experts"
        found = numbers(same, name)  # [passes, layers, tokens, choices]
        if found.ndim != 4 or 0 in found.shape:
            raise ValueError(f"{name} have shape {found.shape}; give layers of tokens of choices")
        yield found.transpose(0, 2, 1, 3).reshape(-1, found.shape[1], found.shape[3])
        number += len(same)
