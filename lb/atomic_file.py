"""Write a file so that its name appears only when its content is complete.

``traces.atomic_file`` does the same for open files. The two share no code, because an engine
installs ``lb`` alone.
"""

import os
from pathlib import Path


def write_file(content: str | bytes, path: str | Path, *endings: str) -> None:
    """Write ``content`` to a temporary name in the same folder, flush it and rename it.

    Parameters
    ----------
    content
        Text, which is written as UTF-8, or bytes.
    path
        File to write. Its folder must exist. An older file is replaced.
    endings
        Allowed endings of the name. Any ending is allowed if none is given.

    Raises
    ------
    ValueError
        If the name has another ending.
    OSError
        If the file cannot be written. An older file stays as it was.
    """
    target = Path(path)
    if endings and not target.name.endswith(endings):
        raise ValueError(f"{target}: give a name that ends in {' or '.join(endings)}")
    partial = target.with_name(f".{os.getpid()}.partial.{target.name}")
    try:
        with partial.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
    finally:
        partial.unlink(missing_ok=True)
