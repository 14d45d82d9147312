"""Compile a numeric kernel with numba when it is first called, cached on disk where possible."""

import functools
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def kernel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile ``function`` in nopython mode, without the interpreter lock, at its first call.

    numba itself is imported then and no sooner: it takes scipy along where that is installed,
    and an engine that only imports should not pay for either.
    """
    return cast("Callable[Arguments, Result]", _Kernel(function))


def inlined(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile like :func:`kernel`, and write the code out wherever another kernel calls it.

    For a step of a hot loop that takes many arrays: handing them over can cost more than the step.
    """
    return cast("Callable[Arguments, Result]", _Kernel(function, inline="always"))


class _Kernel:
    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._options = options
        self._compiled: Any = None

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled()(*arguments)

    def compiled(self) -> Any:
        """Return the numba dispatcher, after those of the kernels that this one calls."""
        if self._compiled is None:
            scope, code = self._function.__globals__, self._function.__code__
            sources = {code.co_filename}
            for name in code.co_names:
                called = scope.get(name)
                if isinstance(called, _Kernel):
                    called = scope[name] = called.compiled()
                sources |= getattr(called, "kernel_sources", set())
            self._compiled = _compile(self._function, sources, self._options)
        return self._compiled


def _compile(function: Callable[..., Any], sources: set[str], options: dict[str, Any]) -> Any:
    import numba

    dispatcher: Any
    try:
        dispatcher = numba.njit(cache=True, nogil=True, **options)(function)
        _cover_sources(dispatcher, sources)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        dispatcher = numba.njit(nogil=True, **options)(function)
    dispatcher.kernel_sources = sources
    return dispatcher


def _cover_sources(dispatcher: Any, sources: set[str]) -> None:
    """Let the cache on disk know every file that the machine code comes from.

    numba looks at the file of the kernel alone, and would go on running what a kernel of another
    file was before it changed. Where a future numba has no such stamp, its own rule stays.
    """
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    stamp = getattr(cache_file, "_source_stamp", None)
    if stamp is None or not all(map(os.path.isfile, sources)):
        return
    stats = [(path, os.stat(path)) for path in sorted(sources)]
    whole = stamp, *((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)
    cache_file._source_stamp = whole  # type: ignore[union-attr]  # noqa: SLF001
