"""Checked arrays of tokens and bytes."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float64]


def quantity(name: str, values: ArrayLike, last: tuple[int, ...] = ()) -> Array:
    """Return finite, non-negative numbers as a float array.

    Parameters
    ----------
    name
        What the numbers are, for messages.
    values
        Any shape that ends in ``last``.
    last
        Lengths that the last axes must have.

    Raises
    ------
    ValueError
        If a number is negative, NaN or infinite, or the last axes are of other lengths.

    Examples
    --------
    >>> quantity("tokens", [3, 4], last=(2,))
    array([3., 4.])
    """
    array: Array = np.asarray(values, dtype=np.float64)
    if last and array.shape[-len(last) :] != last:
        wanted = ", ".join(["...", *map(str, last)])
        raise ValueError(f"{name} has shape {array.shape}, but must have shape [{wanted}]")
    if array.size:
        smallest, largest = array.min(), array.max()
        # NaN compares false with everything, so it falls here too.
        if not smallest >= 0:
            raise ValueError(f"{name} holds {smallest}, but must be >= 0: clip or fix the counts")
        if not largest < np.inf:
            raise ValueError(f"{name} holds {largest}, but must be finite")
    return array
