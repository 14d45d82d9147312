"""Traces from foreign files to the store, and back."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from traces import formats
from traces.formats.about import About
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace
from traces.writer import Writer


def read_foreign(
    source: str | Path, form: str | None = None, about: About | None = None
) -> Iterator[RoutingTrace | TokenTrace]:
    """Yield what a foreign file or folder holds, piece by piece.

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
        raise ValueError(f"{path}: {name} holds requests, not routing; read it as these")
    module = formats.named(name)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder")
    try:
        yield from module.blocks(path, about or About())
    except ValueError as error:
        raise ValueError(f"{path} ({name}): {error}") from None


def import_trace(
    source: str | Path, target: str | Path, form: str | None = None, about: About | None = None
) -> StoredTrace:
    """Write a foreign file into the store, in bounded memory; parameters of :func:`read_foreign`.

    Nothing is left under ``target`` if it fails.
    """
    with Writer(target) as writer:
        for piece in read_foreign(source, form, about):
            writer.append(piece)
    return StoredTrace(target)


def export_trace(
    trace: RoutingTrace | TokenTrace | StoredTrace, target: str | Path, form: str
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
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        write(trace, partial)
        os.replace(partial, path)
    except ValueError as error:
        raise ValueError(f"{path} ({form}): {error}") from None
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)
