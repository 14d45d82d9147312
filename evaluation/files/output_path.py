"""Check where a command will write, before the work that it would lose."""

from pathlib import Path


def check_output(
    path: Path | None, endings: tuple[str, ...] = (), option: str = "--out", *, folder: bool = False
) -> None:
    """Raise unless a file can be written at ``path``.

    Parameters
    ----------
    path
        The file; an older one of that name is replaced. None: nothing will be written.
    endings
        The endings of which its name must have one. Empty: any name.
    option
        The option that named it, for the message.
    folder
        Whether an existing folder is accepted, too.

    Raises
    ------
    ValueError
        If the name has another ending, is that of a folder, or is in no existing folder.
    """
    if path is None:
        return
    if path.is_dir() and not folder:
        raise ValueError(f"{option} {path} is a folder; give a file in it")
    if endings and not path.name.endswith(endings):
        raise ValueError(f"{option} {path}: give a name that ends in {' or '.join(endings)}")
    _check_parent(path, option)


def check_output_folder(path: Path, option: str = "--out") -> None:
    """Raise ValueError unless a folder can be made at ``path``, or is there already."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise ValueError(f"{option} {path} is not a folder; give another name")
    _check_parent(path, option)


def _check_parent(path: Path, option: str) -> None:
    parent = path.absolute().parent
    if not parent.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {parent}; make it first")
