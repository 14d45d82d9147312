"""ADRS and OpenEvolve: ``expert-load.json``, one record a step.

``{"load_history": [{"logical_expert_load": [[...], ...]}, ...]}``: the tokens [layers, experts] of
each record. Other keys, of the file and of a record, are left alone. ``top_k`` is not in it. The
reader takes one record at a time; podlab writes this format too.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import counts_chunk, in_steps, steps_at_once
from traces.formats.json_elements import elements, numbers
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace

HISTORY = "load_history"
LOAD = "logical_expert_load"


def recognises(path: Path) -> bool:
    """Whether it is a JSON that names ``load_history`` in its first kilobyte."""
    try:
        if path.suffix != ".json" or not path.is_file():
            return False
        with path.open("rb") as file:
            return f'"{HISTORY}"'.encode() in file.read(1024)
    except OSError:
        return False


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the counts, some steps at a time."""
    if path.is_dir():
        raise ValueError("is a folder; give the JSON file")
    top_k = about.needed_top_k()
    held: list[NDArray[Any]] = []
    start = 0
    for number, record in enumerate(elements(path, HISTORY)):
        load = _load(record, number)
        if held and load.shape != held[0].shape:
            raise ValueError(
                f"step {number}: {LOAD} has shape {load.shape}, step {start} has {held[0].shape}; "
                "every record has the same [layers, experts]"
            )
        held.append(load)
        if len(held) == steps_at_once(load.shape[0], load.shape[1], 8):
            yield counts_chunk(np.stack(held), start, about, top_k)
            held, start = [], number + 1
    if held:
        yield counts_chunk(np.stack(held), start, about, top_k)


def _load(record: Any, step: int) -> NDArray[Any]:
    if not isinstance(record, dict) or LOAD not in record:
        raise ValueError(f"step {step} has no {LOAD!r}; give it, [layers, experts] tokens")
    load = numbers(record[LOAD], f"step {step}: {LOAD}")
    if load.ndim != 2:
        raise ValueError(f"step {step}: {LOAD} has shape {load.shape}; give [layers, experts]")
    return load


def write(trace: RoutingTrace | TokenTrace | StoredTrace, path: Path) -> None:
    """Write a record a step."""
    with path.open("w", encoding="ascii") as file:
        file.write(f'{{"{HISTORY}": [')
        between = ""
        for chunk in in_steps(trace).blocks():
            for counts in chunk.counts:
                file.write(between + json.dumps({LOAD: counts.tolist()}))
                between = ", "
        file.write("]}")
