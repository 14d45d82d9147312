"""Read files of ``torch.save`` without running any code in them."""

import importlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mentions(path: Path, *keys: bytes) -> bool:
    """Whether ``path`` is a file of ``torch.save`` whose keys include one of ``keys``."""
    try:
        with zipfile.ZipFile(path) as archive:
            inner = [name for name in archive.namelist() if name.endswith("data.pkl")]
            text = archive.open(inner[0]).read(2**20) if inner else b""
        return any(key in text for key in keys)
    except Exception:  # a damaged archive fails in many ways; it is then not recognised
        return False


def library() -> Any:
    """Return torch.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise ImportError("a .pt file needs torch: pip install torch") from None


def load(path: Path) -> dict[str, Any]:
    """Return the dictionary in a file; tensors stay on disk until they are read.

    Raises
    ------
    ImportError
        If torch is not installed.
    ValueError
        If the file is damaged, holds more than plain values and tensors, or is no dictionary.
    """
    torch = library()
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # damaged bytes make torch raise nearly anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} is not a whole file of torch.save with plain tensors ({reason}); "
            "record or copy it again"
        ) from None
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds a {type(content).__name__}; give a dictionary")
    return content


def array(value: Any, name: str, axes: str) -> NDArray[Any]:
    """Return a tensor of integers, whole floats or lists of them, as an array with these axes.

    Raises
    ------
    ValueError
        If it is no array of numbers, or has other axes.
    """
    if not isinstance(value, library().Tensor):
        raise ValueError(f"{name} is a {type(value).__name__}; give a tensor [{axes}]")
    try:
        plain = value.detach()
        found: NDArray[Any] = (plain.double() if plain.is_floating_point() else plain).numpy()
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{name} is no plain tensor ({error}); give [{axes}]") from None
    if found.ndim != len(axes.split(",")):
        raise ValueError(f"{name} has shape {found.shape}; give [{axes}]")
    if found.dtype == np.bool_:
        raise ValueError(f"{name} has dtype bool; give integers")
    return found
