"""Merge request traces, at the same time or one after another."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace, blocks_of


def merge(parts: Sequence[RequestTrace], *, share_prefixes: bool = False) -> RequestTrace:
    """Return the requests of all parts in order of arrival, as one service would see them.

    Sessions of different parts stay apart: they are numbered on. So do prefixes, unless
    ``share_prefixes``, where equal ids of different parts mean equal tokens, as in slices of one
    recording. Domains meet by name. A part without sessions or prefixes has none in the whole.

    Raises
    ------
    ValueError
        If there are no parts, only some have domains, or block_tokens differ.
    """
    if not parts:
        raise ValueError("merge got no traces; give at least one")
    if len({part.domain is None for part in parts}) > 1:
        raise ValueError(
            "some parts have domains and some have none; name those of the others: in_domain(name)"
        )
    sizes = sorted({part.block_tokens for part in parts if part.block_tokens is not None})
    if len(sizes) > 1:
        raise ValueError(f"block_tokens of the parts are {sizes}; merge prefixes of one block size")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("arrival_s", "prompt_tokens", "output_tokens")
    }
    names = tuple(dict.fromkeys(name for part in parts for name in part.domain_names))
    if names:
        columns["domain"] = np.concatenate([_domains(part, names) for part in parts])
    if any(part.session is not None for part in parts):
        columns["session"] = _sessions(parts)
    if sizes:
        columns["prefix_hashes"], columns["prefix_blocks"] = _prefixes(parts, share_prefixes)
    return _in_order(columns, names, sizes[0] if sizes else None, _provenance(parts))


def follow(
    parts: Sequence[RequestTrace], pause_s: float = 0.0, *, share_prefixes: bool = False
) -> RequestTrace:
    """Return the parts one after another; the rest is as in :func:`merge`.

    The times of every part count from the last arrival of the one before, ``pause_s`` later.

    Raises
    ------
    ValueError
        As in :func:`merge`, or if ``pause_s`` is negative.
    """
    if not 0 <= pause_s < np.inf:
        raise ValueError(f"pause_s = {pause_s} is outside 0 <= pause_s < infinity")
    moved: list[RequestTrace] = []
    for part in parts:
        start = moved[-1].arrival_s[-1] + pause_s if moved else 0.0
        moved.append(replace(part, arrival_s=part.arrival_s + start))
    return merge(moved, share_prefixes=share_prefixes)


def _in_order(
    columns: dict[str, Any], names: tuple[str, ...], size: int | None, origin: dict[str, str]
) -> RequestTrace:
    """Sort requests by time; equal times keep the order of the parts."""
    order = np.argsort(columns["arrival_s"], kind="stable")
    found = {name: column[order] for name, column in columns.items() if name != "prefix_hashes"}
    if size is not None:
        rows = blocks_of(columns["prefix_blocks"], order)
        found["prefix_hashes"] = columns["prefix_hashes"][rows]
    return RequestTrace(**found, domain_names=names, block_tokens=size, provenance=origin)


def _domains(part: RequestTrace, names: tuple[str, ...]) -> NDArray[Any]:
    assert part.domain is not None
    return np.array([names.index(name) for name in part.domain_names], dtype=np.int32)[part.domain]


def _sessions(parts: Sequence[RequestTrace]) -> NDArray[np.int64]:
    found, used = [], 0
    for part in parts:
        if part.session is None:
            found.append(np.full(part.num_requests, -1))
            continue
        # -1, no session, stays.
        found.append(np.where(part.session >= 0, part.session + used, -1))
        used += int(part.session.max()) + 1
    return np.concatenate(found)


def _prefixes(
    parts: Sequence[RequestTrace], share: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    hashes, blocks, used = [], [], 0
    for part in parts:
        if part.prefix_hashes is None or part.prefix_blocks is None:
            blocks.append(np.zeros(part.num_requests, dtype=np.int64))
            continue
        # Numbered on, so that equal ids of different parts differ.
        hashes.append(part.prefix_hashes + (0 if share else used))
        blocks.append(part.prefix_blocks)
        used += int(part.prefix_hashes.max(initial=-1)) + 1
    return np.concatenate(hashes), np.concatenate(blocks)


def _provenance(parts: Sequence[RequestTrace]) -> dict[str, str]:
    """Keep every part's own, its keys numbered by part."""
    return {
        f"{number} {key}": text
        for number, part in enumerate(parts)
        for key, text in (part.provenance or {}).items()
    }
