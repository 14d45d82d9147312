"""Write a file whole or not at all."""

import os
from pathlib import Path


def write_whole(content: str | bytes, path: str | Path, *endings: str) -> None:
    """Write ``content`` under a temporary name and rename it.

    Parameters
    ----------
    content
        Text, written as UTF-8, or bytes.
    path
        Where to; an existing file is replaced.
    endings
        What the name may end in; any, if none is given.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    OSError
        If it cannot be written; what was there before stays.
    """
    target = Path(path)
    if endings and not target.name.endswith(endings):
        raise ValueError(f"{target}: give a name that ends in {' or '.join(endings)}")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
