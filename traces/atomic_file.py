"""Write a file so that its name appears only when its content is complete.

The content goes to a temporary name in the same folder. It is flushed to the disk and then
renamed, which replaces an older file in one step. A reader sees the old file or the new one, also
after a crash or a loss of power. The temporary name holds the process id, so that two processes
never write into one another's file, and ends like the target, because some writers choose the
format by the ending.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TextIO, overload


@overload
def atomic_write(
    path: str | Path, mode: Literal["wb"] = "wb"
) -> AbstractContextManager[BinaryIO]: ...
@overload
def atomic_write(path: str | Path, mode: Literal["w"]) -> AbstractContextManager[TextIO]: ...
def atomic_write(
    path: str | Path, mode: Literal["wb", "w"] = "wb"
) -> AbstractContextManager[IO[Any]]:
    """Open a file that gets its name when the ``with`` block ends without an error.

    If the block raises, nothing is left behind, and an older file of this name stays.

    Parameters
    ----------
    path
        File to write. Its folder must exist. An older file is replaced.
    mode
        "wb" for bytes, "w" for text. Text is written as UTF-8, without translation of newlines.

    Returns
    -------
    AbstractContextManager
        Yields the open file.

    Raises
    ------
    OSError
        If the file cannot be written. The message names ``path``, not the temporary file.
    """
    return _open(path, mode)


@contextmanager
def _open(path: str | Path, mode: Literal["wb", "w"]) -> Iterator[IO[Any]]:
    encoding, newline = ("utf-8", "") if mode == "w" else (None, None)
    with atomic_path(path) as partial, partial.open(mode, -1, encoding, None, newline) as file:
        yield file


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path, for writers that open the file or create the folder themselves.

    Parameters
    ----------
    path
        File or folder to write. An older file is replaced; a folder with content is not. The
        files in a folder are not flushed to the disk, only their names are.

    Yields
    ------
    pathlib.Path
        Path in the same folder, with the same ending, at which nothing exists.

    Raises
    ------
    OSError
        If it cannot be written. The message names ``path``, not the temporary path.
    """
    target = Path(path)
    partial = target.with_name(f".{os.getpid()}.partial.{target.name}")
    try:
        yield partial
        _sync(partial)
        os.replace(partial, target)
        # without this, the rename itself may be lost with the power
        _sync(target.parent)
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)) != partial:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from None
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Flush a file or the names in a folder to the disk, where the system can open it for that."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
