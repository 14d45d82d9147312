"""Compile a numeric kernel with numba when it is first called, cached on disk where possible."""

import functools
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


class _Kernel:
    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._compiled: Any = None

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled()(*arguments)

    def compiled(self) -> Any:
        """Return the numba dispatcher, after those of the kernels that this one calls."""
        if self._compiled is None:
            scope = self._function.__globals__
            for name in self._function.__code__.co_names:
                if isinstance(scope.get(name), _Kernel):
                    scope[name] = scope[name].compiled()
            self._compiled = _compile(self._function)
        return self._compiled


def _compile(function: Callable[..., Any]) -> Any:
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        return numba.njit(nogil=True)(function)
