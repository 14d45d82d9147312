"""Compile a loop over numbers when it is first called, so that importing traces loads no numba."""

import functools
from collections.abc import Callable


@functools.cache
def lazy_kernel(function: Callable[..., None]) -> Callable[..., None]:
    """Compile with numba, which is imported here and no sooner; cached on disk where possible."""
    import numba

    compiled: Callable[..., None]
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        compiled = numba.njit(nogil=True)(function)
    return compiled
