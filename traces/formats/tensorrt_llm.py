"""TensorRT-LLM's expert statistics: a folder that ``EXPERT_STATISTIC_PATH`` names.

* ``meta_info.json``: an object with ``num_experts`` and ``num_experts_per_token``;
* ``rank<n>.safetensors``: under ``"<iteration>_<layer>"`` the counts [experts] of the tokens that
  the rank saw; the ranks are added up, as the engine's own loader does
  (examples/ep_load_balancer/utils.py). With pipeline stages a rank has some of the layers;
* or, of variants of its recorder, ``rank<n>_raw.safetensors`` or
  ``token_selected_experts_rank<n>.safetensors``: under the same keys the choices [tokens, top_k].
  Where they are, tokens are read and not counts; every rank then has all layers. ``source_rank`` is
  the rank, a step its tokens in order of rank.

Iterations are consecutive and become the steps; layers are those of the keys, in order. The files
are read an iteration at a time. Co-occurrence files are left alone. (NVIDIA/TensorRT-LLM,
tensorrt_llm/_torch/expert_statistic.py at 0fccc5b.)
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import counts_chunk, steps_at_once, tokens_chunk
from traces.formats.safetensors_file import SafetensorsFile
from traces.header import check_range, whole_numbers
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace

META = "meta_info.json"
COUNTS = re.compile(r"rank(\d+)\.safetensors")
RAW = re.compile(r"rank(\d+)_raw\.safetensors|token_selected_experts_rank(\d+)\.safetensors")

Keys = dict[int, dict[int, str]]  # iteration, layer: name of the array
Rank = tuple[int, SafetensorsFile, Keys]


def recognises(path: Path) -> bool:
    """Whether it is a folder with ``meta_info.json`` and a rank's file."""
    try:
        if not path.is_dir() or not (path / META).is_file():
            return False
        return any(COUNTS.fullmatch(p.name) or RAW.fullmatch(p.name) for p in path.iterdir())
    except OSError:
        return False


def blocks(path: Path, about: About) -> Iterator[RoutingTrace | TokenTrace]:
    """Yield the iterations: tokens where they are recorded, counts otherwise."""
    if not path.is_dir():
        raise ValueError(f"is no folder; give the one with {META} and the ranks' files")
    experts, top_k = _meta(path)
    with ExitStack() as stack:
        if raw := _files(path, RAW, stack):
            yield from _tokens(raw, about, experts, top_k)
        elif counts := _files(path, COUNTS, stack):
            yield from _counts(counts, about, experts, top_k)
        else:
            raise ValueError("has no rank<n>.safetensors and no rank<n>_raw.safetensors")


def _meta(path: Path) -> tuple[int, int]:
    file = path / META
    if not file.is_file():
        raise ValueError(f"has no {META}; rank 0 writes it, copy it along")
    try:
        meta = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{META} is no JSON ({error}); copy it again") from None
    found = []
    for key, most in (("num_experts", 2**16), ("num_experts_per_token", 2**10)):
        number = meta.get(key) if isinstance(meta, dict) else None
        if type(number) is not int or not 1 <= number <= most:
            raise ValueError(f"{META}: {key} is {number!r}; give 1 to {most}")
        found.append(number)
    return found[0], found[1]


def _files(path: Path, pattern: re.Pattern[str], stack: ExitStack) -> list[Rank]:
    """Return the ranks' files in order of rank; the stack closes them."""
    found: dict[int, Rank] = {}
    for file in sorted(path.iterdir()):
        match = pattern.fullmatch(file.name)
        if match is None:
            continue
        rank = int(match[1] or match[2])
        if rank in found:
            raise ValueError(f"rank {rank} has two files, {file.name} is one; keep one")
        arrays = stack.enter_context(closing(SafetensorsFile(file)))
        found[rank] = rank, arrays, _keys(arrays, file.name)
    return [found[rank] for rank in sorted(found)]


def _keys(arrays: SafetensorsFile, name: str) -> Keys:
    keys: Keys = {}
    for key in arrays.names():
        match = re.fullmatch(r"([0-9]{1,18})_([0-9]{1,18})", key)
        if match is None:
            raise ValueError(f"{name}: key {key!r} is no '<iteration>_<layer>'")
        layers = keys.setdefault(int(match[1]), {})
        if int(match[2]) in layers:
            raise ValueError(f"{name}: key {key!r} is there twice, written in two ways")
        layers[int(match[2])] = key
    if not keys:
        raise ValueError(f"{name} is empty; EXPERT_STATISTIC_ITER_RANGE was not reached")
    return keys


def _extent(ranks: list[Rank], *, whole: bool) -> tuple[list[int], list[int]]:
    """Return iterations and layers; all ranks have the same ones, or stages of the layers."""
    iterations = sorted(ranks[0][2])
    if iterations[-1] - iterations[0] + 1 != len(iterations):
        gap = next(n for n in iterations if n + 1 not in ranks[0][2])
        raise ValueError(f"iteration {gap + 1} is missing between {gap} and {iterations[-1]}")
    layers: set[int] = set()
    for rank, _, keys in ranks:
        held = set(keys[min(keys)])
        layers |= held
        if sorted(keys) != iterations:
            raise ValueError(
                f"rank {rank} has other iterations than rank {ranks[0][0]}; record them together"
            )
        for iteration in iterations:
            if set(keys[iteration]) != held:
                odd = sorted(set(keys[iteration]) ^ held)[0]
                raise ValueError(
                    f"rank {rank} has layer {odd} in some iterations, not in {iteration}"
                )
    for rank, _, keys in ranks if whole else []:
        lacking = layers - set(keys[iterations[0]])
        if lacking:
            raise ValueError(f"rank {rank} lacks layer {min(lacking)}; every rank has all layers")
    return iterations, sorted(layers)


def _counts(ranks: list[Rank], about: About, experts: int, top_k: int) -> Iterator[RoutingTrace]:
    iterations, layers = _extent(ranks, whole=False)
    provenance = {"layers": " ".join(map(str, layers)), "first iteration": str(iterations[0])}
    steps = steps_at_once(len(layers), experts, 8)
    at = {layer: place for place, layer in enumerate(layers)}
    for start in range(0, len(iterations), steps):
        chunk = np.zeros((len(iterations[start : start + steps]), len(layers), experts), np.int64)
        for step, iteration in enumerate(iterations[start : start + steps]):
            for rank, arrays, keys in ranks:
                held = sorted(keys[iteration])
                places = [at[layer] for layer in held]
                names = [keys[iteration][layer] for layer in held]
                chunk[step, places] += _rank_counts(arrays, names, rank, experts)
        yield counts_chunk(chunk, start, about, top_k, provenance=provenance)


def _rank_counts(arrays: SafetensorsFile, keys: list[str], rank: int, experts: int) -> NDArray[Any]:
    """Return [layers, experts] of a rank in one iteration."""
    for key in keys:
        if arrays.shape(key) != (experts,):
            raise ValueError(
                f"rank {rank}, {key} has shape {arrays.shape(key)}, {META} says {experts} experts"
            )
    found = np.stack([arrays.read(key) for key in keys])
    if found.dtype.kind == "f" or found.min() < 0 or found.max() >= 2**31:
        for key in keys:
            counts = _read(arrays, key, f"rank {rank}, {key}", ("experts",))
            hint = "a count is a number of tokens"
            check_range(counts, f"rank {rank}, {key}: it", ("experts",), 2**31, hint)
        found = found.astype(np.int64)
    return found


def _read(arrays: SafetensorsFile, key: str, place: str, axes: tuple[str, ...]) -> NDArray[Any]:
    try:
        return whole_numbers(arrays.read(key), "it", axes)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _tokens(ranks: list[Rank], about: About, experts: int, top_k: int) -> Iterator[TokenTrace]:
    iterations, layers = _extent(ranks, whole=True)
    provenance = {"layers": " ".join(map(str, layers)), "first iteration": str(iterations[0])}
    before = 0
    for step, iteration in enumerate(iterations):
        parts = [_rank_tokens(arrays, keys[iteration], rank) for rank, arrays, keys in ranks]
        if {part.shape[2] for part in parts} != {top_k}:
            raise ValueError(
                f"iteration {iteration} has {sorted({part.shape[2] for part in parts})} choices a "
                f"token, {META} says {top_k}"
            )
        ids = np.concatenate(parts)
        if not len(ids):
            continue  # an idle step: the next one has its own number
        source = np.repeat([rank for rank, _, _ in ranks], [len(part) for part in parts])
        yield tokens_chunk(
            ids,
            before,
            about,
            experts,
            step=np.full(len(ids), step),
            source_rank=source,
            provenance=provenance,
        )
        before += len(ids)
    if not before:
        raise ValueError("no iteration has a token; record while requests run")


def _rank_tokens(arrays: SafetensorsFile, keys: dict[int, str], rank: int) -> NDArray[Any]:
    """Return [tokens, layers, choices] of a rank in one iteration."""
    found: list[NDArray[Any]] = []
    for layer in sorted(keys):
        place = f"rank {rank}, {keys[layer]}"
        choices = _read(arrays, keys[layer], place, ("tokens", "choices"))
        if found and choices.shape != found[0].shape:
            raise ValueError(
                f"{place} has shape {choices.shape}, layer {min(keys)} has {found[0].shape}; a "
                "token goes through all layers"
            )
        found.append(choices)
    return np.stack(found, axis=1)
