"""Convert torch tensors to arrays and back, on the device that they came from."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_tensor(values: Any) -> bool:
    """Whether ``values`` is a torch tensor; torch is looked up where it is loaded, not imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def from_tensor(values: Any) -> Any:
    """Return a tensor's values as a numpy array, and anything else as it is.

    Any device, layout in memory and dtype will do: floating-point values (bfloat16 and half
    included, which numpy lacks or computes badly with) become float64, and a gradient is left
    behind.
    """
    if not is_tensor(values):
        return values
    plain = values.detach().cpu()
    return (plain.double() if plain.is_floating_point() else plain).numpy()


def like(array: NDArray[Any], model: Any, dtype: Any = np.int64) -> Any:
    """Return a writable, contiguous copy of ``array``: a tensor on its device if ``model`` is.

    Parameters
    ----------
    array
        What to return.
    model
        Array, sequence or tensor whose kind and device count.
    dtype
        numpy dtype of the answer.
    """
    copy = np.array(array, dtype=dtype, order="C")
    if not is_tensor(model):
        return copy
    return sys.modules["torch"].from_numpy(copy).to(model.device)
