"""vLLM's routed experts: one array [tokens, layers, choices] a request.

``CompletionOutput.routed_experts`` of vLLM 0.33.0 with ``enable_return_routed_experts`` (uint8, or
uint16 above 256 experts), saved as one of

* ``.npy``: one request; a folder of them is read by the numbers in their names;
* ``.npz``: one array a request, in the order they were given to ``np.savez``;
* ``.jsonl``: one answer of vLLM's server a line, a ``/v1/completions`` or
  ``/v1/chat/completions`` body whose ``choices`` have ``routed_experts``: the bytes of an ``.npy``
  in base64; or ``{"routed_experts": ...}``, with the same text or nested lists.

vLLM numbers all layers of the model; where top-k is above 1, layers in which every token has only
zeros have no experts and are left out. The number of experts is not in it. Steps are not known:
tokens are those of one request after another, a sample each; cut them with ``split``.
"""

import base64
import binascii
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from traces.formats.about import About
from traces.formats.rank_files import by_time
from traces.header import whole_numbers
from traces.tokens import AXES, TokenTrace

KEY = "routed_experts"


def recognises(path: Path) -> bool:
    """Whether it is JSON lines that name ``routed_experts``; arrays do not say what they are."""
    try:
        if path.suffix != ".jsonl" or not path.is_file():
            return False
        with path.open("rb") as file:
            return f'"{KEY}"'.encode() in file.readline(2**22)
    except OSError:
        return False


def blocks(path: Path, about: About) -> Iterator[TokenTrace]:
    """Yield one request at a time."""
    experts = about.needed_experts()
    used: Any = None
    shape: tuple[int, ...] = ()
    for place, values in _requests(path):
        try:
            ids = whole_numbers(values, KEY, AXES)
            if ids.size == 0:
                raise ValueError(f"{KEY} has shape {ids.shape}; no axis may be empty")
            shape = shape or ids.shape[1:]
            if ids.shape[1:] != shape:
                raise ValueError(f"{KEY} has {ids.shape[1:]} layers and choices, before it {shape}")
            found = ids.any(axis=(0, 2)) if shape[1] > 1 else np.ones(shape[0], dtype=bool)
            used = found if used is None else used
            if (found != used).any():
                layer = int(np.argmax(found != used))
                raise ValueError(f"layer {layer} is 0 in some requests and not in others")
            note = {"layers": " ".join(str(layer) for layer in np.flatnonzero(used))}
            yield TokenTrace(
                ids[:, used],
                experts,
                about.model,
                about.phase,
                sample_lengths=np.array([len(ids)]),
                provenance=note,
            )
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    if used is None:
        raise ValueError(f"has no {KEY}; serve with --enable-return-routed-experts")


def _requests(path: Path) -> Iterator[tuple[str, Any]]:
    if path.is_dir():
        for group in by_time(path, (".npy",), r"(?P<time>.+)"):
            for file in group:
                yield file.name, _array(file, file.name)
    elif path.suffix == ".jsonl":
        yield from _lines(path)
    elif path.suffix == ".npz":
        yield from _archive(path)
    else:
        yield "the array", _array(path, "the array")


def _array(source: Any, place: str) -> Any:
    try:
        if isinstance(source, Path):
            source = io.BytesIO(source.read_bytes())
        found = np.load(source, allow_pickle=False)
    except Exception as error:  # damaged bytes make numpy raise nearly anything
        raise ValueError(f"{place} is no whole .npy of integers ({error}); save it again") from None
    if not isinstance(found, np.ndarray):
        raise ValueError(f"{place} is no .npy; save one array with np.save")
    return found


def _archive(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
            names = list(archive.files)
        except Exception as error:  # damaged bytes make zipfile and numpy raise nearly anything
            raise ValueError(f"it is no whole .npz ({error}); save it with np.savez") from None
        for name in names:
            try:
                found = archive[name]
            except Exception as error:  # as above
                raise ValueError(f"array {name!r} is damaged ({error}); save it again") from None
            yield f"array {name!r}", found


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = f"line {number}"
            try:
                answer = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{place} is no JSON ({error}); write one object a line") from None
            if not isinstance(answer, dict):
                raise ValueError(f"{place} is a {type(answer).__name__}; write one object a line")
            choices = [answer] if KEY in answer else answer.get("choices")
            if not isinstance(choices, list) or not choices:
                raise ValueError(f"{place} has neither {KEY} nor choices; write vLLM's answer")
            for index, choice in enumerate(choices):
                where = place if len(choices) == 1 else f"{place}, choice {index}"
                if not isinstance(choice, dict) or choice.get(KEY) is None:
                    raise ValueError(
                        f"{where}: {KEY} is missing; serve with --enable-return-routed-experts"
                    )
                yield where, _decoded(choice[KEY], where)


def _decoded(value: Any, place: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _array(io.BytesIO(base64.b64decode(value, validate=True)), "it")
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{place}: {KEY} is no .npy in base64 ({error})") from None
