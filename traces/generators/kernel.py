"""Compile a loop over numbers with numba, cached on disk where that is possible.

Modules that use it are imported inside the functions that need them, so that ``import traces``
loads neither numba nor them.

The cache stamp repeats that of ``lb.kernel``, because traces and lb may not import each other and
nothing lies below both. Here numba is imported with the module, there at the first call.
"""

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def kernel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile ``function`` in nopython mode, without the interpreter lock, at its first call."""
    return cast("Callable[Arguments, Result]", _compiled(function))


def part(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a function that only kernels call.

    It lacks the code that unpacks Python's arguments, which for a short function takes longer to
    compile than the function: Python must not call it.
    """
    return cast("Callable[Arguments, Result]", _compiled(function, no_cpython_wrapper=True))


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    # Nothing calls from C either.
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, **options}
    scope, code = function.__globals__, function.__code__
    sources = {code.co_filename}
    for name in code.co_names:
        sources |= getattr(scope.get(name), "kernel_sources", set())
    made: Any
    try:
        made = numba.njit(cache=True, **options)(function)
        _cover(made, sources)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        made = numba.njit(**options)(function)
    made.kernel_sources = sources
    return made


def _cover(made: Any, sources: set[str]) -> None:
    """Let the cache on disk know every file that the machine code comes from.

    numba looks at the file of the function alone, and would go on running what a kernel of another
    file was before it changed. Where a future numba has no such stamp, its own rule stays.
    """
    cache_file = getattr(getattr(made, "_cache", None), "_cache_file", None)
    stamp = getattr(cache_file, "_source_stamp", None)
    if cache_file is None or stamp is None or not all(map(os.path.isfile, sources)):
        return
    stats = [(path, os.stat(path)) for path in sorted(sources)]
    whole = stamp, *((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)
    cache_file._source_stamp = whole  # noqa: SLF001
