"""SGLang's expert distribution recorder: a ``.pt`` dump, or a folder of the dumps of one recording.

As ``sglang/srt/eplb/expert_distribution.py`` of 0.5.23 writes them, by ``torch.save``:

* mode ``stat`` (and ``stat_approx``): ``rank``, ``logical_count`` [steps, layers, experts],
  already summed over ranks, ``average_utilization_rate_over_window``. Several dumps follow each
  other by the time in their names. Steps without any token are unfilled rows of SGLang's ring
  buffer and are left out. ``top_k`` is not in it.
* modes ``per_pass`` and ``per_token``: ``records`` and ``last_physical_to_logical_map``
  [layers, slots]. A record has ``forward_pass_id``, ``rank``, ``gatherer_key`` and
  ``global_physical_count`` [layers, slots]; with ``per_token`` also ``topk_ids_of_layer``
  [layers, tokens, choices] of physical ids, -1 where there is none, and ``input_ids``,
  ``positions``, ``extend_seq_lens``, ``forward_mode``, ``misc_objects``, which are not read.
  Passes run by ``forward_pass_id``; ranks of one pass are summed, or their tokens put one after
  another with their ``source_rank``.

SGLang numbers all layers of the model; those without experts, which no token reached, are left
out and the others named in the provenance.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats import sglang_records, torch_file
from traces.formats.about import About
from traces.formats.rank_files import by_time
from traces.header import check_range, whole_numbers
from traces.routing import AXES, RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace

BLOCK_BYTES = 16 * 2**20


def recognises(path: Path) -> bool:
    """Whether it is such a dump, or a folder with one."""
    try:
        files = sorted(path.glob("*.pt"))[:1] if path.is_dir() else [path]
    except OSError:
        return False
    keys = (b"logical_count", b"last_physical_to_logical_map")
    return any(torch_file.mentions(file, *keys) for file in files)


def blocks(path: Path, about: About) -> Iterator[RoutingTrace | TokenTrace]:
    """Yield counts, or tokens where they were recorded, some at a time."""
    groups = by_time(path, (".pt",), r"(?P<time>.+)") if path.is_dir() else [[path]]
    files = [file for group in groups for file in group]
    first = torch_file.load(files[0])
    if "logical_count" in first:
        yield from _statistics(files, about)
    elif "records" in first:
        yield from sglang_records.blocks(files, about)
    else:
        raise ValueError(
            f"{files[0].name} has the keys {sorted(map(str, first))}; logical_count or records "
            "is missing, give a dump of the expert distribution recorder"
        )


def write(trace: RoutingTrace | StoredTrace, path: Path) -> None:
    """Write a ``stat`` dump of int32 counts; needs torch and memory for the whole trace."""
    torch = torch_file.library()
    if isinstance(trace, TokenTrace):
        trace = trace.counts()
    counts = np.concatenate([chunk.counts for chunk in trace.blocks()])
    content = {
        "rank": 0,
        "logical_count": torch.from_numpy(counts),
        "average_utilization_rate_over_window": None,
    }
    torch.save(content, path)


def _statistics(files: list[Path], about: About) -> Iterator[RoutingTrace]:
    used: NDArray[np.bool_] | None = None
    for file in files:
        counts = _counts(file)
        found = np.zeros(counts.shape[1], dtype=bool)
        for chunk in _chunks(counts):
            found |= chunk.any(axis=(0, 2))
        if used is not None and len(used) != len(found):
            raise ValueError(f"{file.name} has {len(found)} layers, those before it {len(used)}")
        used = found if used is None else used | found
    if used is None or not used.any():
        raise ValueError("logical_count is 0 throughout; dump while requests are served")
    top_k = about.needed_top_k()
    note = sglang_records.layer_note(used)
    for file in files:
        start = 0
        for chunk in _chunks(_counts(file)):
            whole = whole_numbers(chunk, "logical_count", AXES)
            try:
                check_range(whole, "logical_count", AXES, 2**31, "a count is a number of tokens")
            except ValueError as error:
                raise ValueError(f"{file.name}, from step {start}: {error}") from None
            start += len(whole)
            busy = whole[whole.any(axis=(1, 2))][:, used]
            if len(busy):
                trace = RoutingTrace(busy, about.model, top_k, about.phase)
                yield replace(trace, provenance=note)


def _counts(file: Path) -> NDArray[Any]:
    content = torch_file.load(file)
    if "logical_count" not in content:
        raise ValueError(f"{file.name}: logical_count is missing; keep the modes apart")
    counts = torch_file.array(
        content["logical_count"], f"{file.name}: logical_count", "steps, layers, experts"
    )
    if counts.size == 0:
        raise ValueError(f"{file.name}: logical_count has shape {counts.shape}; no axis is empty")
    return counts


def _chunks(counts: NDArray[Any]) -> Iterator[NDArray[Any]]:
    steps = max(1, BLOCK_BYTES // max(1, counts[:1].nbytes))
    for start in range(0, len(counts), steps):
        yield counts[start : start + steps]
