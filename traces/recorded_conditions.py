"""Several recordings of one model as the conditions of one trace, a step each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traces.bundled import FOLDER
from traces.condition_names import (
    BETWEEN,
    PHASES,
    STEPS,
    condition_names,
    condition_phases,
    has_conditions,
    provenance_of,
)
from traces.exchange import read_foreign
from traces.formats.about import About
from traces.header import check_range
from traces.request_store import holds_requests
from traces.routing import AXES, RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace


@dataclass(frozen=True)
class _Source:
    """A condition: its name, the file that it comes from, and perhaps the step of it."""

    name: str
    path: Path
    step: RoutingTrace | None = None


def read_conditions(
    sources: Sequence[str | Path],
    *,
    form: str | None = None,
    model: str = "unknown",
    top_k: int | None = None,
    experts: int | None = None,
    phase: str = "unknown",
) -> RoutingTrace:
    """Return one trace of several recordings: all steps of each are summed to one step.

    The name of a condition is its file's name without the ending. The provenance keeps the names
    (:func:`traces.condition_names`) and phases (:func:`traces.condition_phases`), and what the
    recordings say of themselves: once where all agree, numbered by condition where they differ.

    Parameters
    ----------
    sources
        Files or folders of other tools, traces of podlab (``.parquet``), or names of bundled ones.
        A trace of conditions brings all of its conditions.
    form
        Format of those of other tools (:data:`traces.formats.ROUTING`); found by their contents
        unless given.
    model, top_k, experts, phase
        What files of other tools do not say, as in :class:`traces.formats.about.About`.

    Returns
    -------
    RoutingTrace
        [conditions, layers, experts] in the order of ``sources``. Its phase is "mixed" where
        traces of podlab differ in theirs.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`traces.exchange.read_foreign` raises. Or if there are no sources, two have one
        name, a name contains a comma and a space, or recordings differ in model, top_k, layers or
        experts, or in the layers of the model that they cover.
    """
    about = About(model, phase, top_k, experts)
    found = _found(sources, form)
    parts: list[RoutingTrace] = []
    for source in found:
        parts.append(source.step or _total(source.path, form, about))
        _check_alike(source.path, parts[-1], found[0].path, parts[0])
    tokens = [part.step_tokens for part in parts if part.step_tokens is not None]
    phases = [part.phase for part in parts]
    return RoutingTrace(
        np.concatenate([part.counts for part in parts]),
        parts[0].model,
        parts[0].top_k,
        phases[0] if len(set(phases)) == 1 else "mixed",
        np.concatenate(tokens),
        {**_provenance(parts), **provenance_of([source.name for source in found], phases)},
    )


def _found(sources: Sequence[str | Path], form: str | None) -> list[_Source]:
    """Return all conditions: one for each source, or all of a trace of conditions."""
    if not sources:
        raise ValueError("0 recordings are given, outside 0 < recordings; give at least one file")
    found: list[_Source] = []
    for source in sources:
        path = _path(source)
        trace = _stored(path) if form is None else None
        if trace is not None and has_conditions(trace):
            found += _steps(path, trace)
        else:
            found.append(_Source(path.name if path.is_dir() else path.stem, path))
    _check_names(found)
    return found


def _path(source: str | Path) -> Path:
    """Return the file of a source, which may be the name of a bundled trace."""
    path, bundled = Path(source), FOLDER / f"{source}.parquet"
    return bundled if not path.exists() and path.name == str(source) and bundled.exists() else path


def _steps(path: Path, trace: StoredTrace) -> list[_Source]:
    """Return the conditions of a trace of conditions."""
    whole = trace.load()
    assert isinstance(whole, RoutingTrace)
    assert whole.step_tokens is not None
    own = {
        key: text for key, text in (whole.provenance or {}).items() if key not in (STEPS, PHASES)
    }
    names, phases = condition_names(whole), condition_phases(whole)
    return [
        _Source(
            name,
            path,
            RoutingTrace(counts[None], whole.model, whole.top_k, phase, np.array([tokens]), own),
        )
        for name, phase, counts, tokens in zip(
            names, phases, whole.counts, whole.step_tokens, strict=True
        )
    ]


def _check_names(found: Sequence[_Source]) -> None:
    first: dict[str, Path] = {}
    for source in found:
        if BETWEEN in source.name:
            raise ValueError(f"{source.path}: a condition's name has no {BETWEEN!r}; rename it")
        if source.name in first:
            raise ValueError(
                f"{first[source.name]} and {source.path} are both named {source.name!r}; rename "
                "one, since conditions have the names of their files"
            )
        first[source.name] = source.path


def _stored(path: Path) -> StoredTrace | None:
    """Return a trace of podlab; None if the file is another tool's."""
    if path.suffix != ".parquet" or not path.is_file():
        return None
    if holds_requests(path):
        raise ValueError(f"{path}: holds requests, not routing; conditions are recorded loads")
    try:
        return StoredTrace(path)
    except ValueError:
        return None  # another tool's Parquet, or none at all: its reader says which


def _total(path: Path, form: str | None, about: About) -> RoutingTrace:
    """Return all of a recording as one step."""
    counts: NDArray[np.int64] | None = None
    tokens = 0
    first: RoutingTrace | TokenTrace | None = None
    for chunk in _chunks(path, form, about):
        first = first or chunk
        found, more = _sum(chunk)
        if counts is not None and counts.shape != found.shape:
            raise ValueError(f"{path}: steps have shapes {counts.shape} and {found.shape}")
        counts = found if counts is None else counts + found
        tokens += more
    if first is None or counts is None:
        raise ValueError(f"{path}: holds 0 steps, but 0 < steps is needed; record again")
    try:
        check_range(counts, "counts", AXES[1:], 2**31, "import part of the recording")
    except ValueError as error:
        raise ValueError(f"{path}, all steps summed: {error}") from None
    return RoutingTrace(
        counts[None].astype(np.int32),
        first.model,
        first.top_k,
        first.phase,
        np.array([tokens]),
        first.provenance,
    )


def _chunks(path: Path, form: str | None, about: About) -> Iterator[RoutingTrace | TokenTrace]:
    stored = _stored(path) if form is None else None
    yield from read_foreign(path, form, about) if stored is None else stored.parts()


def _sum(chunk: RoutingTrace | TokenTrace) -> tuple[NDArray[np.int64], int]:
    """Return [layers, experts] of all steps, and their tokens."""
    if isinstance(chunk, RoutingTrace):
        assert chunk.step_tokens is not None
        return chunk.counts.sum(axis=0, dtype=np.int64), int(chunk.step_tokens.sum())
    whole = chunk.split(chunk.num_tokens).counts()
    return whole.counts[0].astype(np.int64), chunk.num_tokens


def _check_alike(path: Path, part: RoutingTrace, first_path: Path, first: RoutingTrace) -> None:
    layers = (first.provenance or {}).get("layers"), (part.provenance or {}).get("layers")
    for name, wanted, found in (
        ("model", first.model, part.model),
        ("top_k", first.top_k, part.top_k),
        ("layers", first.num_layers, part.num_layers),
        ("experts", first.num_experts, part.num_experts),
        *([("layers of the model", *layers)] if None not in layers else []),
    ):
        if wanted != found:
            raise ValueError(
                f"{path}: {name} = {found!r} differs from {wanted!r} of {first_path}; conditions "
                "are recordings of the same layers of one model"
            )


def _provenance(parts: Sequence[RoutingTrace]) -> dict[str, str]:
    texts = [dict(part.provenance or {}) for part in parts]
    common = {
        key: text
        for key, text in texts[0].items()
        if key not in (STEPS, PHASES) and all(other.get(key) == text for other in texts)
    }
    own = {
        f"{number} {key}": text
        for number, other in enumerate(texts)
        for key, text in other.items()
        if key not in common
    }
    return common | own
