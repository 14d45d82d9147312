"""Records of SGLang's modes ``per_pass`` and ``per_token``; :mod:`traces.formats.sglang`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats import torch_file
from traces.formats.about import About
from traces.formats.model_layers import checked_used, layer_note
from traces.formats.physical import checked_map, logical_counts
from traces.header import checked_integer, whole_numbers
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace

PASSES = 64
TOKENS = 2**15


@dataclass(frozen=True, eq=False)
class _Record:
    place: str
    rank: int
    content: dict[str, Any]
    slots: NDArray[np.int64]

    def counts(self) -> NDArray[Any]:
        """Return [layers, slots] tokens."""
        return _layers_by(self.content, "global_physical_count", self.place, "layers, slots")


def blocks(files: list[Path], about: About) -> Iterator[RoutingTrace | TokenTrace]:
    """Yield the passes of all files in order."""
    passes = _passes(files)
    everything = [record for records in passes for record in records]
    experts = about.experts or max(int(record.slots.max()) for record in everything) + 1
    for record in everything:
        checked_map(record.slots, len(record.slots), record.slots.shape[1], experts)
    detailed = ["topk_ids_of_layer" in record.content for record in everything]
    if all(detailed):
        yield from _tokens(passes, experts, about)
    elif any(detailed):
        raise ValueError("some records have topk_ids_of_layer, some not; keep the modes apart")
    else:
        yield from _counted(passes, experts, about)


def _passes(files: list[Path]) -> list[list[_Record]]:
    """Return the records of each pass, by pass and rank."""
    found: dict[tuple[int, int], _Record] = {}
    for file in files:
        content = torch_file.load(file)
        for key in ("records", "last_physical_to_logical_map"):
            if key not in content:
                raise ValueError(f"{file.name}: {key} is missing; keep the modes apart")
        if not isinstance(content["records"], list):
            raise ValueError(f"{file.name}: records is no list; record it again")
        name = f"{file.name}: last_physical_to_logical_map"
        values = torch_file.array(content["last_physical_to_logical_map"], name, "layers, slots")
        slots = checked_map(values, values.shape[0], values.shape[1])
        for number, record in enumerate(content["records"]):
            place = f"{file.name}, record {number}"
            if not isinstance(record, dict):
                raise ValueError(f"{place} is a {type(record).__name__}; give a dictionary")
            lacking = {"forward_pass_id", "rank", "global_physical_count"} - set(record)
            if lacking:
                raise ValueError(f"{place} lacks {sorted(lacking)}; record it again")
            key_of = (
                checked_integer(record["forward_pass_id"], f"{place}: forward_pass_id"),
                checked_integer(record["rank"], f"{place}: rank"),
            )
            if key_of in found:
                raise ValueError(
                    f"{place}: pass {key_of[0]} of rank {key_of[1]} is in "
                    f"{found[key_of].place} already; import each recording by itself"
                )
            entry = _Record(place, key_of[1], record, slots)
            if entry.counts().shape != slots.shape:
                raise ValueError(
                    f"{place}: global_physical_count has shape {entry.counts().shape}, the map "
                    f"{slots.shape}; record it again"
                )
            found[key_of] = entry
    if not found:
        raise ValueError("records is empty; dump while requests are served")
    passes: dict[int, list[_Record]] = {}
    for (number, _), entry in sorted(found.items()):
        passes.setdefault(number, []).append(entry)
    shapes = {len(entry.slots) for entry in found.values()}
    if len(shapes) > 1:
        raise ValueError(f"records have {sorted(shapes)} layers; import one model at a time")
    return list(passes.values())


def _used(passes: list[list[_Record]]) -> NDArray[np.bool_]:
    used = np.any([record.counts().any(axis=1) for records in passes for record in records], axis=0)
    return checked_used(np.asarray(used), "global_physical_count")


def _counted(passes: list[list[_Record]], experts: int, about: About) -> Iterator[RoutingTrace]:
    used, top_k = _used(passes), about.needed_top_k()
    for start in range(0, len(passes), PASSES):
        rows = [_logical(records, experts) for records in passes[start : start + PASSES]]
        counts: NDArray[Any] = np.stack(rows)[:, used]
        yield RoutingTrace(counts, about.model, top_k, about.phase, provenance=layer_note(used))


def _logical(records: list[_Record], experts: int) -> NDArray[Any]:
    """Return [layers, experts] of one pass, its ranks summed."""
    total: NDArray[Any] = np.zeros((len(records[0].slots), experts), dtype=np.int64)
    for record in records:
        try:
            total += logical_counts(record.counts()[None], record.slots, experts)[0]
        except ValueError as error:
            raise ValueError(f"{record.place}: {error}") from None
    return total


def _tokens(passes: list[list[_Record]], experts: int, about: About) -> Iterator[TokenTrace]:
    used = _used(passes)
    width: int | None = None
    note = layer_note(used)
    for step, records in enumerate(passes):
        for record in records:
            place = record.place
            name, axes = "topk_ids_of_layer", "layers, tokens, choices"
            ids = _layers_by(record.content, name, place, axes)
            ids = np.swapaxes(whole_numbers(ids, f"{place}: {name}", tuple(axes.split(", "))), 0, 1)
            if ids.shape[1] != len(used):
                raise ValueError(f"{place}: {name} has {ids.shape[1]} layers of {len(used)}")
            for start in range(0, len(ids), TOKENS):
                chosen = _chosen(ids[start : start + TOKENS][:, used], place, width)
                if chosen is None:
                    continue
                width = chosen.shape[2]
                try:
                    logical = _through(chosen, record.slots[used])
                    yield TokenTrace(
                        logical,
                        experts,
                        about.model,
                        about.phase,
                        np.full(len(logical), step),
                        np.full(len(logical), record.rank),
                        provenance=note,
                    )
                except ValueError as error:
                    raise ValueError(f"{place}, from token {start}: {error}") from None


def _chosen(ids: NDArray[Any], place: str, width: int | None) -> NDArray[Any] | None:
    """Return the ids of tokens that were routed, without columns that the model does not use."""
    ids = ids[(ids != -1).any(axis=(1, 2))]
    if not len(ids):
        return None
    columns = (ids != -1).any(axis=(0, 1))
    choices = int(columns.sum())
    if not columns[:choices].all() or (width is not None and width != choices):
        raise ValueError(f"{place}: tokens choose {choices} experts, before that {width}")
    return ids[:, :, :choices]


def _through(ids: NDArray[Any], slots: NDArray[np.int64]) -> NDArray[np.int64]:
    bad = (ids < 0) | (ids >= slots.shape[1])
    if bad.any():
        token, layer, choice = np.argwhere(bad)[0]
        raise ValueError(
            f"token {token}, layer {layer}, choice {choice} is {ids[token, layer, choice]}, "
            f"outside 0 <= id < {slots.shape[1]} slots; record without fused shared experts"
        )
    return np.asarray(slots[np.arange(len(slots))[None, :, None], ids])


def _layers_by(content: dict[str, Any], name: str, place: str, axes: str) -> NDArray[Any]:
    return torch_file.array(content[name], f"{place}: {name}", axes)
