"""Compile a numeric kernel with numba when it is first called, cached on disk where possible."""

import functools
import os
import types
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def kernel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile ``function`` in nopython mode, without the interpreter lock, at its first call.

    numba itself is imported then and no sooner: it takes scipy along where that is installed,
    and an engine that only imports should not pay for either.

    What a kernel says decides how long it takes to compile. Three things that numba accepts cost
    seconds: a sort, which belongs into numpy before the kernel; an array assigned to a slice, whose
    error message takes strings along (call :func:`lb.copy_into.copy_into`); and arrays of another
    dtype, layout or writability than at the last call, which are compiled anew.
    """
    return cast("Callable[Arguments, Result]", _Kernel(function))


def inlined(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile like :func:`kernel`, and write the code out wherever another kernel calls it.

    For a step of a hot loop that takes many arrays: handing them over can cost more than the step.
    """
    return cast("Callable[Arguments, Result]", _Kernel(function, inline="always"))


class _Kernel:
    """A function with two compiled forms: one for Python, and one for kernels that call it."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._options = options

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    @functools.cached_property
    def compiled(self) -> Any:
        """The numba dispatcher that Python calls."""
        return self._dispatcher("")

    @functools.cached_property
    def part(self) -> Any:
        """The numba dispatcher that other kernels call.

        It lacks the code that unpacks Python's arguments, which for a short kernel takes longer to
        compile than the kernel. Its other name keeps it in a file of its own in numba's cache.
        """
        return self._dispatcher("-part", no_cpython_wrapper=True)

    @functools.cached_property
    def sources(self) -> set[str]:
        """Every file that the machine code comes from."""
        return {self._function.__code__.co_filename}.union(
            *(called.sources for called in self._called().values())
        )

    def _called(self) -> "dict[str, _Kernel]":
        """Return the kernels that this one calls, by name."""
        scope = self._function.__globals__
        named = {name: scope.get(name) for name in self._function.__code__.co_names}
        return {name: called for name, called in named.items() if isinstance(called, _Kernel)}

    def _dispatcher(self, suffix: str, **options: Any) -> Any:
        """Compile the function, its calls of kernels replaced by calls of their parts."""
        function = self._function
        scope = {**function.__globals__}
        scope |= {name: called.part for name, called in self._called().items()}
        linked = types.FunctionType(
            function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
        )
        linked.__qualname__ = function.__qualname__ + suffix
        return _compile(linked, self.sources, {**self._options, **options})


def _compile(function: Callable[..., Any], sources: set[str], options: dict[str, Any]) -> Any:
    import numba

    # No caller outside Python is served, so that the wrapper for C would be waste.
    options = {"nogil": True, "no_cfunc_wrapper": True, **options}
    dispatcher: Any
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
        _cover_sources(dispatcher, sources)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        dispatcher = numba.njit(**options)(function)
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


def cache_folder() -> str | None:
    """Return the folder of the machine code of kernels; None where none can be written to.

    numba takes ``NUMBA_CACHE_DIR`` if it is set, else ``__pycache__`` beside the source, else the
    user's cache folder.
    """
    import numba

    try:
        return str(numba.njit(cache=True)(cache_folder).stats.cache_path)
    except RuntimeError:
        return None
