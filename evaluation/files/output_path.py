"""Refuse a file that could not be written, before the work that fills it."""

from pathlib import Path


def check_output(
    path: Path, endings: tuple[str, ...] = (), option: str = "", *, folder: bool = False
) -> None:
    """Raise unless a file can be written at ``path``.

    Parameters
    ----------
    path
        The file; an older one of that name is replaced.
    endings
        What its name must end in, one of them; none: anything.
    option
        What asked for it, "--out" say, for the message.
    folder
        Whether it may be a folder, too.

    Raises
    ------
    ValueError
        If the name ends otherwise, is that of a folder, or is in no folder that there is.
    """
    named = f"{option} {path}" if option else str(path)
    if endings and not path.name.endswith(endings):
        raise ValueError(f"{named}: give a name that ends in {' or '.join(endings)}")
    if path.is_dir() and not folder:
        raise ValueError(f"{named} is a folder; give a file in it")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{named}: there is no folder {path.absolute().parent}; make it first")
