"""Checks of arguments. Errors name the value, the broken inequality and how to fix it."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_integer(value: Any, name: str, *, at_least: int) -> int:
    """Return ``value`` as a plain int.

    Raises
    ------
    ValueError
        If it is not a whole number, or smaller than ``at_least``.
    """
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} = {value!r} is a truth value; give an integer >= {at_least}")
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} = {value!r} is not an integer >= {at_least}") from None
    if number < at_least:
        raise ValueError(f"{name} = {number} < {at_least}; give at least {at_least}")
    return number


def checked_number(
    value: Any, name: str, *, at_least: float = -math.inf, at_most: float = math.inf
) -> float:
    """Return ``value`` as a plain float, finite and within the bounds.

    Raises
    ------
    ValueError
        If it is not a real number, not finite, or out of bounds.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r} is not a number") from None
    if isinstance(value, bool | np.bool_ | str) or not math.isfinite(number):
        raise ValueError(f"{name} = {value!r} is not a finite number")
    if number < at_least:
        raise ValueError(f"{name} = {number:g} < {at_least:g}; give at least {at_least:g}")
    if number > at_most:
        raise ValueError(f"{name} = {number:g} > {at_most:g}; give at most {at_most:g}")
    return number


def checked_amounts(values: ArrayLike, name: str, axes: tuple[str, ...]) -> NDArray[np.float64]:
    """Return ``values`` as a read-only float64 copy: finite, non-negative, one axis per name.

    Raises
    ------
    ValueError
        If the array is ragged, not numeric, of another dimension, empty, negative or not finite.
    """
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} is ragged: {error}; give a rectangular array [{', '.join(axes)}]"
        ) from None
    if raw.dtype.kind not in "iuf":
        raise ValueError(f"{name} has dtype {raw.dtype}; give integers or real numbers")
    if raw.ndim != len(axes):
        raise ValueError(f"{name} has shape {raw.shape}; give [{', '.join(axes)}]")
    if raw.size == 0:
        raise ValueError(f"{name} has shape {raw.shape}: no axis of [{', '.join(axes)}] may be 0")
    amounts = np.array(raw, dtype=np.float64, order="C")
    worst = amounts.min()
    if not worst >= 0 or not np.isfinite(amounts.max()):
        bad = ~(np.isfinite(amounts) & (amounts >= 0))
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        place = ", ".join(f"{axis[:-1]} {i}" for axis, i in zip(axes, where, strict=True))
        raise ValueError(f"{name} at {place} is {amounts[where]}; it must be finite and >= 0")
    amounts.flags.writeable = False
    return amounts
