"""Named arrays in one ``.npz``, or one ``.pt`` dictionary of tensors."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats import torch_file

#: How ``np.savez`` and ``torch.save`` names may read in a folder: ``load_3_rank0.npz``.
NAME = r"(?P<time>.*?)(_?rank_?(?P<rank>\d+))?"


def has(path: Path, key: str) -> bool:
    """Whether a file, or the first such file of a folder, has an array of that name."""
    try:
        files = [path]
        if path.is_dir():
            files = sorted([*path.glob("*.npz"), *path.glob("*.pt")])[:1]
        for file in files:
            if file.suffix == ".pt":
                return torch_file.mentions(file, key.encode())
            with zipfile.ZipFile(file) as archive:
                return f"{key}.npy" in archive.namelist()
    except Exception:  # a damaged archive fails in many ways; it is then not recognised
        return False
    return False


def read(path: Path, axes: dict[str, str]) -> dict[str, NDArray[Any]]:
    """Return the arrays named in ``axes``, with as many axes as are named there.

    Raises
    ------
    ValueError
        If the file is damaged, or an array is missing, of objects, or of other axes.
    """
    if path.suffix == ".pt":
        content = torch_file.load(path)
        given = {key: content[key] for key in axes if key in content}
        found = {key: torch_file.array(given[key], key, axes[key]) for key in given}
    else:
        found = _from_npz(path, axes)
    for key, names in axes.items():
        if key not in found:
            raise ValueError(f"{path.name}: {key} is missing; save it beside the others")
        if found[key].ndim != len(names.split(",")):
            raise ValueError(f"{path.name}: {key} has shape {found[key].shape}; give [{names}]")
    return found


def _from_npz(path: Path, axes: dict[str, str]) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it is no .npz")
            return {key: np.asarray(archive[key]) for key in axes if key in archive.files}
    except Exception as error:  # damaged bytes make zipfile, zlib and numpy raise nearly anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} is not a whole .npz of plain arrays ({reason}); save it again with "
            "np.savez"
        ) from None


def scalar(path: Path, key: str) -> int:
    """Return one integer of an ``.npz``."""
    value = _from_npz(path, {key: ""})[key]
    if value.ndim or value.dtype.kind not in "iu":
        raise ValueError(f"{path.name}: {key} is {value!r}; give one integer")
    return int(value)
