"""Windows of a workload in engine time: summed exactly, and priced on a sample of their steps."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import traces.workload
from evaluation.replay.replay_window import ReplayWindow
from hardware.preset import find_file, parse
from traces.workload import EngineWindow, EngineWorkload, Workload
from traces.workload.routing_tables import KINDS

#: Bundled workloads.
FOLDER = Path(__file__).parent.parent / "suites" / "workloads"
PHASES = ("decode", "prefill")


@dataclass(frozen=True)
class WindowCut:
    """How a workload is cut into windows.

    Parameters
    ----------
    window_steps, window_s
        Length of a window in engine steps or in seconds; one of them.
    sampled_steps
        Steps of each phase that are priced in a window.
    limit
        Windows, at most; ``None``: all that the workload has.
    """

    window_steps: int | None
    window_s: float | None
    sampled_steps: int
    limit: int | None


@dataclass(frozen=True, eq=False)
class WorkloadWindows:
    """The windows of one repetition of a workload.

    Parameters
    ----------
    windows
        In order of time.
    content_hash
        SHA-256 of all counts.
    num_layers, num_experts, top_k
        Of the model that the workload was made for.
    """

    windows: tuple[ReplayWindow, ...]
    content_hash: str
    num_layers: int
    num_experts: int
    top_k: int


# A sweep runs all solvers on one repetition before it goes to the next.
@lru_cache(maxsize=2)
def workload_windows(
    names: tuple[str, ...], draw: int, cut: WindowCut, change_window: int | None
) -> WorkloadWindows:
    """Return the windows of a workload, or of two that follow each other.

    The second one begins at its own start, in place of window ``change_window``: an engine that is
    given another task.

    What the solver sees and what it is judged on have the same requests at the same times, but no
    sequence in common (:meth:`traces.workload.Workload.split`). A recording of engine steps has no
    other sequences; there, both are the recorded steps.

    Parameters
    ----------
    names
        Bundled workloads, or ``.toml`` files.
    draw
        Number of the repetition, see :func:`traces.workload.load`.
    cut
        How they are cut into windows.
    change_window
        Windows of the first one of two.

    Raises
    ------
    ValueError
        If a file holds no workload, a workload is too short, or two are of different models.
    """
    if len(names) == 1:
        return _of_one(names[0], draw, cut)
    assert change_window is not None
    parts = [
        _of_one(names[0], draw, replace(cut, limit=change_window)),
        _of_one(names[1], draw, replace(cut, limit=cut.limit and cut.limit - change_window)),
    ]
    sizes = {(part.num_layers, part.num_experts, part.top_k) for part in parts}
    if len(sizes) > 1:
        raise ValueError(
            f"workloads {', '.join(names)} have layers, experts and top_k {sorted(sizes)}; give "
            "workloads of one model"
        )
    whole = tuple(window for part in parts for window in part.windows)
    digest = hashlib.sha256("".join(part.content_hash for part in parts).encode())
    return replace(parts[0], windows=whole, content_hash=digest.hexdigest())


def _of_one(name: str, draw: int, cut: WindowCut) -> WorkloadWindows:
    workload = traces.workload.load(workload_path(name), draw)
    made = []
    digest = hashlib.sha256()
    top_k = 0
    for past, window in _windows(workload, cut):
        sample = window.sample
        top_k = sample.top_k
        phases = tuple(phase if phase in PHASES else "" for phase in sample.phases)
        made.append(
            ReplayWindow(
                past.counts,
                window.counts,
                sample.counts,
                sample.tokens,
                window.weight,
                window.num_steps,
                phases,
            )
        )
        for array in (past.counts, window.counts, sample.counts, window.weight):
            digest.update(array.tobytes())
    if cut.limit is not None and len(made) < cut.limit:
        raise ValueError(
            f"workload {name} has {len(made)} windows < {cut.limit}; give it more requests, or ask "
            "for fewer windows"
        )
    return WorkloadWindows(
        tuple(made), digest.hexdigest(), workload.num_layers, workload.num_experts, top_k
    )


def _windows(
    workload: EngineWorkload, cut: WindowCut
) -> Iterator[tuple[EngineWindow, EngineWindow]]:
    """Yield what is observed of each window, and what is judged."""
    lengths: dict[str, Any] = {
        "window_steps": cut.window_steps,
        "window_s": cut.window_s,
        "sampled_steps": cut.sampled_steps,
    }
    # a recording has no other sequences: the observed steps are judged
    pairs = (
        workload.split_windows(**lengths)
        if isinstance(workload, Workload)
        else ((window, window) for window in workload.windows(**lengths))
    )
    return (pair for pair in islice(pairs, cut.limit) if _has_steps(pair[1]))


def _has_steps(window: EngineWindow) -> bool:
    """Return whether there was traffic; raise ValueError if not, since nothing can be judged."""
    if window.num_steps == 0:
        raise ValueError(
            f"window {window.number} from {window.start_s:g} s has no step; give more requests or "
            "longer windows"
        )
    return True


def workload_path(name: str) -> Path:
    """Return the file of a bundled workload, or the user's own.

    Raises
    ------
    ValueError
        If there is none; the nearest name is suggested.
    """
    return find_file("workload", FOLDER, name)


def sequences(name: str) -> int:
    """Return the most sequences that a workload runs at a time; 0 of a recording, which is silent.

    Raises
    ------
    ValueError
        If the file has no such number.
    """
    content = _content(name)
    if "recording" in content:
        return 0
    batching = content.get("batching")
    number = batching.get("sequences") if isinstance(batching, dict) else None
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"workload {name}: batching.sequences = {number!r} is outside 1 <= it")
    return number


def is_drawn(name: str) -> bool:
    """Return whether every seed is another repetition; a recording of engine steps has one."""
    return "recording" not in _content(name)


def routing_kind(name: str) -> str | None:
    """Return the key of a workload's routing that says what draws it; None for a recording."""
    return next((kind for kind in KINDS if kind in _content(name).get("routing", {})), None)


def file_hashes(name: str) -> list[str]:
    """Return hashes of a workload's file and of the files that it names."""
    path = workload_path(name)
    files = [path, *sorted(set(_files(_content(name).values(), path.parent)))]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def _content(name: str) -> dict[str, Any]:
    return parse(workload_path(name))


def recordings_of(name: str) -> list[str]:
    """Return the names of the bundled recordings that a workload draws tokens from."""
    bundled = set(traces.available("routing")) - set(traces.GENERATED)
    return sorted(bundled.intersection(_strings(_content(name).values())))


def _files(values: Iterable[Any], folder: Path) -> Iterator[Path]:
    """Yield the files that strings anywhere in a table name."""
    for value in _strings(values):
        yield from (path for path in (folder / value, Path(value)) if path.is_file())


def _strings(values: Iterable[Any]) -> Iterator[str]:
    """Yield the strings anywhere in a table."""
    for value in values:
        if isinstance(value, dict):
            yield from _strings(value.values())
        elif isinstance(value, list):
            yield from _strings(value)
        elif isinstance(value, str):
            yield value
