"""SGLang's expert distribution recorder: a ``.pt`` dump, or a folder of the dumps of one recording.

As ``sglang/srt/eplb/expert_distribution.py`` of 0.5.23 writes them, by ``torch.save``:

* mode ``stat`` (and ``stat_approx``): ``rank``, ``logical_count`` [steps, layers, experts], or
  [layers, experts] in files made for ``--init-expert-location``, already summed over ranks, and
  ``average_utilization_rate_over_window``. Several dumps follow each other by the time in their
  names. Steps without any token are unfilled rows of SGLang's ring buffer and are left out.
  ``top_k`` is not in it. ``time_s`` [steps], the second at which each step starts, is read if it
  was added to the dictionary; SGLang does not write it.
* modes ``per_pass`` and ``per_token``: ``records`` and ``last_physical_to_logical_map``
  [layers, slots]. A record has ``forward_pass_id``, ``rank``, ``gatherer_key`` and
  ``global_physical_count`` [layers, slots]; with ``per_token`` also ``topk_ids_of_layer``
  [layers, tokens, choices] of physical ids, -1 where there is none, and ``input_ids``,
  ``positions``, ``extend_seq_lens``, ``forward_mode``, ``misc_objects``, which are not read.
  Passes run by ``forward_pass_id``; ranks of one pass are summed, or their tokens put one after
  another with their ``source_rank``.

A ``.json`` with ``logical_count`` is read as :mod:`traces.formats.counts_json` says.

SGLang numbers all layers of the model; those without experts, which no token reached, are left
out and the others named in the provenance.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats import counts_json, sglang_records, torch_file
from traces.formats.about import About
from traces.formats.model_layers import checked_used, layer_note
from traces.formats.rank_files import by_time
from traces.header import check_range, whole_numbers
from traces.routing import AXES, RoutingTrace
from traces.step_times import checked_times
from traces.store import StoredTrace
from traces.tokens import TokenTrace

TIMES = "time_s"
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
    if path.suffix == ".json":
        yield from counts_json.blocks(path, about)
        return
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
    chunks = list(trace.blocks())
    counts = np.concatenate([chunk.counts for chunk in chunks])
    times = [chunk.time_s for chunk in chunks if chunk.time_s is not None]
    content = {
        "rank": 0,
        "logical_count": torch.from_numpy(counts),
        "average_utilization_rate_over_window": None,
        **({TIMES: torch.from_numpy(np.concatenate(times))} if times else {}),
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
    assert used is not None  # there is a file, and no axis of it is empty
    used = checked_used(used, "logical_count")
    about.check_experts(_counts(files[0]).shape[2])
    top_k, note = about.needed_top_k(), layer_note(used)
    timed = {TIMES in torch_file.load(file) for file in files}
    if len(timed) > 1:
        raise ValueError(f"some files have {TIMES} and some have not; give it in all or in none")
    for file in files:
        start, counts = 0, _counts(file)
        times = _times(file, len(counts)) if timed == {True} else None
        for chunk in _chunks(counts):
            whole = whole_numbers(chunk, "logical_count", AXES)
            try:
                check_range(whole, "logical_count", AXES, 2**31, "a count is a number of tokens")
            except ValueError as error:
                raise ValueError(f"{file.name}, from step {start}: {error}") from None
            start += len(whole)
            busy = whole.any(axis=(1, 2))
            if busy.any():
                kept = whole[busy][:, used]
                trace = RoutingTrace(kept, about.model, top_k, about.phase, provenance=note)
                at = slice(start - len(whole), start)
                yield trace if times is None else replace(trace, time_s=times[at][busy])


def _counts(file: Path) -> NDArray[Any]:
    content = torch_file.load(file)
    if "logical_count" not in content:
        raise ValueError(f"{file.name}: logical_count is missing; keep the modes apart")
    values, name = content["logical_count"], f"{file.name}: logical_count"
    if getattr(values, "ndim", 3) == 2:  # a file made for --init-expert-location: one step
        counts = torch_file.array(values, name, "layers, experts")[None]
    else:
        counts = torch_file.array(values, name, "steps, layers, experts")
    if counts.size == 0:
        raise ValueError(f"{file.name}: logical_count has shape {counts.shape}; no axis is empty")
    return counts


def _times(file: Path, steps: int) -> NDArray[np.float64]:
    """Return the seconds at which the steps of a file start; not written by SGLang itself."""
    values = torch_file.array(torch_file.load(file)[TIMES], f"{file.name}: {TIMES}", "steps")
    try:
        return checked_times(values, steps)
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None


def _chunks(counts: NDArray[Any]) -> Iterator[NDArray[Any]]:
    steps = max(1, BLOCK_BYTES // max(1, counts[:1].nbytes))
    for start in range(0, len(counts), steps):
        yield counts[start : start + steps]
