"""Compile a numeric kernel with numba, cached on disk where the machine allows it."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def kernel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile ``function`` in nopython mode, without the interpreter lock.

    An engine may run from a read-only image without a writable home; numba then finds no place
    for its cache and refuses. The kernel is compiled in memory instead, so importing never fails.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)
