"""Read and write placement files of any registered format."""

import re
from pathlib import Path
from zipfile import BadZipFile

from evaluation.files.placements.formats import format_list, formats_of
from evaluation.files.placements.placement_format import PlacementFormat, SlotMap
from lb import Placement
from traces.atomic_file import atomic_write


def names_placement_file(name: str) -> bool:
    """Return whether an argument of the command line names a placement file, not a solver.

    A solver is a registered name (``greedy``, ``greedy@4``) or a Python file
    (``path/to/file.py:name``). Any other argument with an ending or a folder, and the name of an
    existing file, is a placement file.
    """
    if re.search(r"\.py($|[:@])", name):
        return False
    path = Path(name)
    return bool(path.suffix) or len(path.parts) > 1 or path.is_file()


def read_placement(path: str | Path, num_ranks: int | None = None) -> Placement:
    """Read a placement from a file of any registered format.

    Parameters
    ----------
    path
        The file. Its ending and its content decide the format.
    num_ranks
        Ranks of the EP group, if the file does not name them. ``None``: the file must name them.

    Raises
    ------
    ValueError
        Naming the file, if no format has its ending, it cannot be parsed (pickled objects are never
        loaded), it holds no placement, or its ranks are unknown or not ``num_ranks``.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    slot_map = read_slot_map(path)
    ranks = num_ranks if slot_map.num_ranks is None else slot_map.num_ranks
    if ranks is None:
        raise ValueError(f"{path}: the file has no num_ranks; give the number of ranks")
    if num_ranks not in (None, ranks):
        raise ValueError(f"{path}: num_ranks = {ranks!r}, but {num_ranks} ranks were requested")
    try:
        return Placement(slot_map.physical_to_logical, ranks)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{path}: {error}") from None


def read_slot_map(path: Path) -> SlotMap:
    """Return the unchecked slot map of a placement file; errors as in :func:`read_placement`."""
    candidates = formats_of(path.suffix)
    if not candidates:
        raise ValueError(
            f"{path}: no placement format has this ending; the formats are {format_list()}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such placement file")
    content = path.read_bytes()
    names = " or ".join(candidates)
    try:
        for form in candidates.values():
            slot_map = form.read(content)
            if slot_map is not None:
                return slot_map
    except (ValueError, EOFError, RecursionError, BadZipFile) as error:
        raise ValueError(f"{path}: {error} (read as {names})") from None
    raise ValueError(f"{path}: it holds no placement of the format {names}")


def write_placement(
    placement: Placement,
    path: str | Path,
    form: PlacementFormat,
    first_layer: int = 0,
    num_layers: int | None = None,
) -> None:
    """Write a placement in one of ``formats.FORMATS``, whole or not at all.

    Parameters
    ----------
    placement
        Placement of the MoE layers.
    path
        The file. An existing file is replaced.
    form
        The format, as ``formats.format_named`` returns it.
    first_layer, num_layers
        Number of the first MoE layer in the model, and layers of the model, for a format that
        numbers or pads layers.

    Raises
    ------
    ValueError
        If the layers do not fit in the model.
    OSError
        If the file cannot be written.
    """
    content = form.write(placement, first_layer, num_layers)
    with atomic_write(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
