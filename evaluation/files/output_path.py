"""Check output paths before a command does its work."""

from pathlib import Path


def check_output(
    path: Path | None, endings: tuple[str, ...] = (), option: str = "--out", *, folder: bool = False
) -> None:
    """Raise unless a file can be written at ``path``.

    Parameters
    ----------
    path
        The file. An existing file will be replaced. ``None``: nothing will be written.
    endings
        Allowed endings of the name. Empty: any name.
    option
        Name of the option, for the message.
    folder
        Whether an existing folder is also accepted.

    Raises
    ------
    ValueError
        If the name has another ending, the path is a folder, or its folder does not exist.
    """
    if path is None:
        return
    if path.is_dir() and not folder:
        raise ValueError(f"{option} {path} is a folder; give a file in it")
    if endings and not path.name.endswith(endings):
        raise ValueError(f"{option} {path}: give a name that ends in {' or '.join(endings)}")
    _check_parent(path, option)


def check_output_folder(path: Path, option: str = "--out") -> None:
    """Raise ValueError unless ``path`` is a folder or one can be created there."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise ValueError(f"{option} {path} is not a folder; give another name")
    _check_parent(path, option)


def _check_parent(path: Path, option: str) -> None:
    parent = path.absolute().parent
    if not parent.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {parent}; create it first")
