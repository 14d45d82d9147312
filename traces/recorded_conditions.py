"""Several recordings of one model as the conditions of one trace, a step each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traces.exchange import read_foreign
from traces.formats.about import About
from traces.header import check_range
from traces.request_store import holds_requests
from traces.routing import AXES, RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace

#: Key of the provenance that says what the steps are, and how its text begins, as in the bundled
#: ``olmoe-domains``.
STEPS, ONE_EACH = "steps", ("one a condition: ", "one a domain: ")
BETWEEN = ", "


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
    (:func:`condition_names`), and what the recordings say of themselves: once where all agree,
    numbered by condition where they differ.

    Parameters
    ----------
    sources
        Files or folders of other tools, or traces of podlab (``.parquet``).
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
    paths = [Path(source) for source in sources]
    names = _names(paths)
    about = About(model, phase, top_k, experts)
    parts: list[RoutingTrace] = []
    for path in paths:
        parts.append(_total(path, form, about))
        _check_alike(path, parts[-1], paths[0], parts[0])
    tokens = [part.step_tokens for part in parts if part.step_tokens is not None]
    phases = {part.phase for part in parts}
    return RoutingTrace(
        np.concatenate([part.counts for part in parts]),
        parts[0].model,
        parts[0].top_k,
        phases.pop() if len(phases) == 1 else "mixed",
        np.concatenate(tokens),
        {**_provenance(parts), STEPS: ONE_EACH[0] + BETWEEN.join(names)},
    )


def condition_names(trace: RoutingTrace | StoredTrace) -> tuple[str, ...]:
    """Return the names of the conditions, or domains, that the steps of a trace are.

    Raises
    ------
    ValueError
        If the trace does not say that each step is one.

    Examples
    --------
    >>> import traces
    >>> traces.condition_names(traces.load("olmoe-domains"))
    ('arxiv', 'book', 'c4', 'github', 'wikipedia', 'tulu')
    """
    text = (trace.provenance or {}).get(STEPS, "")
    begin = next((begin for begin in ONE_EACH if text.startswith(begin)), None)
    if begin is None:
        raise ValueError(
            f"the steps of {trace!r} have no names; make the trace with read_conditions()"
        )
    names = tuple(text.removeprefix(begin).split(BETWEEN))
    if len(names) != trace.num_steps:
        raise ValueError(
            f"{len(names)} names are there for {trace.num_steps} steps; take the names before a "
            "part of the trace is cut out"
        )
    return names


def _names(paths: Sequence[Path]) -> list[str]:
    if not paths:
        raise ValueError("0 recordings are given, outside 0 < recordings; give at least one file")
    names = [path.name if path.is_dir() else path.stem for path in paths]
    for number, name in enumerate(names):
        if BETWEEN in name:
            raise ValueError(f"{paths[number]}: a condition's name has no {BETWEEN!r}; rename it")
        if names.index(name) < number:
            raise ValueError(
                f"{paths[names.index(name)]} and {paths[number]} are both named {name!r}; rename "
                "one, since conditions have the names of their files"
            )
    return names


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
    if path.suffix == ".parquet" and path.is_file() and form is None:
        if holds_requests(path):
            raise ValueError(f"{path}: holds requests, not routing; conditions are recorded loads")
        try:
            stored = StoredTrace(path)
        except ValueError:
            pass  # another tool's Parquet, or none at all: its reader says which
        else:
            yield from stored.parts()
            return
    yield from read_foreign(path, form, about)


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
        if key != STEPS and all(other.get(key) == text for other in texts)
    }
    own = {
        f"{number} {key}": text
        for number, other in enumerate(texts)
        for key, text in other.items()
        if key not in common
    }
    return common | own
