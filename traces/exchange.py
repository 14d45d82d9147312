"""Import traces from foreign files, and export them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from traces import formats
from traces.atomic_file import atomic_path
from traces.formats.about import About
from traces.request_store import StoredRequests, save_requests
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace
from traces.writer import Writer


def read_foreign(
    source: str | Path, form: str | None = None, about: About | None = None
) -> Iterator[RoutingTrace | TokenTrace]:
    """Yield what a foreign file or folder holds, chunk by chunk.

    Parameters
    ----------
    source
        The file or folder.
    form
        Name of its format (:data:`traces.formats.ROUTING`); found by its contents unless given.
    about
        What the file does not say.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and the place, if there is none, its format is unclear, or it is not what
        its format says.
    """
    path = Path(source)
    name = form or formats.recognised(path)
    if name in formats.REQUESTS:
        raise ValueError(f"{path}: {name} holds requests, not routing; read_requests() reads it")
    module = formats.named(name)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder")
    try:
        yield from module.blocks(path, about or About())
    except ValueError as error:
        raise ValueError(f"{path} ({name}): {error}") from None


def read_requests(source: str | Path, form: str | None = None) -> RequestTrace:
    """Return the requests that a foreign file holds.

    Parameters
    ----------
    source
        The file.
    form
        Name of its format (:data:`traces.formats.REQUESTS`); found by its contents unless given.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_foreign` does.
    """
    path = Path(source)
    name = form or formats.recognised(path)
    if name in formats.ROUTING:
        raise ValueError(f"{path}: {name} holds routing, not requests; read_foreign() reads it")
    module = formats.named(name)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        found: RequestTrace = module.read(path)
    except ValueError as error:
        raise ValueError(f"{path} ({name}): {error}") from None
    origin = {"origin": f"{path.name}, read as {name}", **(found.provenance or {})}
    return replace(found, provenance=origin)


def import_trace(
    source: str | Path, target: str | Path, form: str | None = None, about: About | None = None
) -> StoredTrace | StoredRequests:
    """Write a foreign file into the store; parameters of :func:`read_foreign`.

    Routing is written in bounded memory; requests are held whole. Nothing is left under ``target``
    if it fails.
    """
    name = form or formats.recognised(Path(source))
    if name in formats.REQUESTS:
        save_requests(read_requests(source, name), target)
        return StoredRequests(target)
    with Writer(target) as writer:
        for chunk in read_foreign(source, name, about):
            writer.append(chunk)
    return StoredTrace(target)


def export_trace(
    trace: RoutingTrace | TokenTrace | StoredTrace | RequestTrace, target: str | Path, form: str
) -> None:
    """Write ``trace`` in a foreign format, whole or not at all.

    Raises
    ------
    ValueError
        If the format is unknown, is not written by podlab, or cannot hold this trace.
    """
    path = Path(target)
    write = getattr(formats.named(form), "write", None)
    if write is None:
        raise ValueError(f"{form} is read, not written; choose another format")
    if isinstance(trace, RequestTrace) != (form in formats.REQUESTS):
        raise ValueError(f"{form} does not hold what this is, a {type(trace).__name__}")
    try:
        with atomic_path(path) as partial:
            write(trace, partial)
    except ValueError as error:
        raise ValueError(f"{path} ({form}): {error}") from None
