"""FLAME-MoE's routing traces: a folder ``iter_<n>`` with a Parquet file a MoE layer.

``layer_<n>.parquet``, a row a token in the same order in all of them: ``indices``, the list of its
expert ids (int16). ``scores``, the router's probabilities, are not read, nor are the token ids in
``samples/``. Layers are in the order of their numbers; the collection's models have 64 routed
experts, which is what holds unless the number is given. Steps are not in it.

The files are read in lockstep, some tokens of every layer at a time. (CMU-FLAME/FLAME-MoE-Traces on
Hugging Face, its card.)
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import tokens_chunk
from traces.formats.list_columns import chosen, opened, rows_at_once
from traces.header import check_range
from traces.tokens import TokenTrace

COLUMN = "indices"
EXPERTS = 64  # routed experts of every model of the collection
FILE = re.compile(r"layer_(\d+)\.parquet")


def recognises(path: Path) -> bool:
    """Whether it is a folder of ``layer_<n>.parquet``."""
    try:
        return path.is_dir() and any(FILE.fullmatch(file.name) for file in path.iterdir())
    except OSError:
        return False


def blocks(path: Path, about: About) -> Iterator[TokenTrace]:
    """Yield the tokens, some at a time."""
    files = _layer_files(path)
    experts = about.experts if about.experts is not None else EXPERTS
    if not 1 <= experts <= 2**16:
        raise ValueError(f"experts = {experts} is outside 1 <= experts <= 65536")
    provenance = {"layers": " ".join(str(layer) for layer, _ in files)}
    with ExitStack() as stack:
        open_files = [stack.enter_context(opened(file)) for _, file in files]
        rows = [file.metadata.num_rows for file in open_files]
        for (_, file), found in zip(files, rows, strict=True):
            if found != rows[0]:
                raise ValueError(
                    f"{file.name} has {found} tokens, {files[0][1].name} has {rows[0]}; a token "
                    "goes through all layers, copy the files again"
                )
        if not rows[0]:
            raise ValueError(f"{files[0][1].name} has no tokens")
        for (_, file), parquet in zip(files, open_files, strict=True):
            if parquet.schema_arrow.names.count(COLUMN) != 1:
                raise ValueError(f"{file.name} has not one column {COLUMN!r}, of the expert ids")
        names = [file.name for _, file in files]
        start = 0
        for ids in _lockstep(open_files, names, experts):
            yield tokens_chunk(ids, start, about, experts, provenance=provenance)
            start += len(ids)
        if start != rows[0]:
            raise ValueError(f"tokens end after {start} of {rows[0]}; copy the files again")


def _layer_files(path: Path) -> list[tuple[int, Path]]:
    if not path.is_dir():
        raise ValueError("is no folder; give the folder of an iteration, with layer_<n>.parquet")
    found: dict[int, Path] = {}
    for file in sorted(path.iterdir()):
        match = FILE.fullmatch(file.name)
        if match is not None:
            if int(match[1]) in found:
                raise ValueError(f"{file.name}: layer {int(match[1])} has two files; keep one")
            found[int(match[1])] = file
    if not found:
        raise ValueError("has no layer_<n>.parquet; give the folder of one iteration, iter_<n>")
    return sorted(found.items())


def _lockstep(files: list[Any], names: list[str], experts: int) -> Iterator[NDArray[Any]]:
    """Yield [tokens, layers, choices], until a layer ends."""
    rows = max(1, min(rows_at_once(file, [COLUMN]) for file in files) // len(files))
    streams = [_choices(file, name, rows, experts) for file, name in zip(files, names, strict=True)]
    waiting = [next(stream, None) for stream in streams]
    while True:
        held = [ids for ids in waiting if ids is not None]
        if len(held) < len(waiting):
            return
        yield _joined(held, names, ready := min(map(len, held)), experts)
        for layer, ids in enumerate(held):  # where row groups differ, files get out of step
            rest = ids[ready:]
            waiting[layer] = rest if len(rest) else next(streams[layer], None)


def _choices(file: Any, name: str, rows: int, experts: int) -> Iterator[NDArray[Any]]:
    """Yield [tokens, choices] of one layer, ids checked."""
    import pyarrow as pa

    what, hint, start = f"{name}: {COLUMN}", "give the model's number of experts", 0
    try:
        for batch in file.iter_batches(rows, columns=[COLUMN], use_threads=False):
            ids = chosen(batch.column(0), 1, what, start)
            check_range(ids, what, ("tokens", "choices"), experts, hint, start)
            start += len(ids)
            if len(ids):
                yield ids
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{name} is damaged ({reason}); copy it again") from None


def _joined(held: list[NDArray[Any]], names: list[str], ready: int, experts: int) -> NDArray[Any]:
    """Return the first ``ready`` rows of every layer."""
    top_k = held[0].shape[1]
    store = np.uint8 if experts <= 2**8 else np.uint16
    ids = np.empty((ready, len(held), top_k), dtype=store)
    for layer, choices in enumerate(held):
        if choices.shape[1] != top_k:
            raise ValueError(
                f"{names[layer]} has {choices.shape[1]} choices a token, {names[0]} has {top_k}"
            )
        ids[:, layer] = choices[:ready]
    return ids
