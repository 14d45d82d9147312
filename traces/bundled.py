"""Bundled traces by name, and trace files by path."""

import difflib
import os
from pathlib import Path
from typing import Any, Literal, overload

from traces.generated import GENERATED
from traces.request_store import StoredRequests, holds_requests
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace

FOLDER = Path(__file__).parent / "samples"
REQUESTS = FOLDER / "requests"
KINDS = ("routing", "request")


def available(kind: str | None = None) -> list[str]:
    """Return the names of the bundled and the generated traces.

    Parameters
    ----------
    kind
        "routing" or "request"; both unless given.

    Raises
    ------
    ValueError
        If it is another.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind = {kind!r} is not one of {', '.join(KINDS)}")
    routing = [*(path.stem for path in FOLDER.glob("*.parquet")), *GENERATED]
    requests = [path.stem for path in REQUESTS.glob("*.parquet")]
    return sorted(
        [*(routing if kind != "request" else ()), *(requests if kind != "routing" else ())]
    )


@overload
def open(path_or_name: str | Path, kind: Literal["routing"]) -> StoredTrace | RoutingTrace: ...
@overload
def open(path_or_name: str | Path, kind: Literal["request"]) -> StoredRequests: ...
@overload
def open(path_or_name: str | Path, kind: None = None) -> Any: ...


def open(path_or_name: str | Path, kind: str | None = None) -> Any:
    """Open a trace to be read chunk by chunk; a generated one is made anew, in memory.

    Parameters
    ----------
    path_or_name
        A store file, or the name of a bundled or generated trace.
    kind
        "routing" or "request", where only that will do.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file or name (the nearest is suggested), the file cannot be read, or
        it is of the other kind.
    """
    found = _open(path_or_name)
    if kind not in (None, *KINDS):
        raise ValueError(f"kind = {kind!r} is not one of {', '.join(KINDS)}")
    held = "request" if isinstance(found, StoredRequests) else "routing"
    if kind is not None and held != kind:
        raise ValueError(f"{path_or_name}: a {held} trace; a {kind} trace is needed here")
    return found


def _open(path_or_name: str | Path) -> StoredTrace | StoredRequests | RoutingTrace:
    text = str(path_or_name)
    is_path = isinstance(path_or_name, Path) or os.sep in text or text.endswith(".parquet")
    if is_path or Path(text).is_file():
        path = Path(path_or_name)
        return StoredRequests(path) if holds_requests(path) else StoredTrace(path)
    if text not in available():
        near = difflib.get_close_matches(text, available(), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"unknown trace {text!r}: {hint}bundled are {', '.join(available())}; "
            "a file is given by its path"
        )
    if text in GENERATED:
        return GENERATED[text]()
    if text in available("request"):
        return StoredRequests(REQUESTS / f"{text}.parquet")
    return StoredTrace(FOLDER / f"{text}.parquet")


@overload
def load(path_or_name: str | Path, kind: Literal["routing"]) -> RoutingTrace | TokenTrace: ...
@overload
def load(path_or_name: str | Path, kind: Literal["request"]) -> RequestTrace: ...
@overload
def load(path_or_name: str | Path, kind: None = None) -> Any: ...


def load(path_or_name: str | Path, kind: Any = None) -> Any:
    """Return a whole trace in memory; parameters and errors as in :func:`open`."""
    return open(path_or_name, kind).load()
