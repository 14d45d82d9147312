"""Compile a loop over numbers with numba, cached on disk where that is possible.

Modules that use it are imported inside the functions that need them, so that ``import traces``
loads neither numba nor them.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile ``function`` in nopython mode, without the interpreter lock, at its first call.

    The cache on disk knows the file of ``function`` alone: let it call only kernels of its own
    file.
    """
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return cast("Callable[Arguments, Result]", made)
