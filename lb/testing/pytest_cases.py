"""A pytest case for each candidate and check."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def parametrize(
    argument: str,
    candidates: Iterable[tuple[str, Any, Mapping[str, str]]],
    checks: Mapping[str, Callable[[Any], None]],
) -> Any:
    """Return a pytest decorator for a test with the arguments ``argument`` and ``check``.

    Parameters
    ----------
    argument
        Name of the argument that gets the candidate.
    candidates
        Label in the test's id, candidate, and its known failures: name of a check to the reason.
        These become strict expected failures.
    checks
        Name to check.
    """
    import pytest

    cases = []
    for label, candidate, known in candidates:
        for name, check in checks.items():
            marks = [pytest.mark.xfail(reason=known[name], strict=True)] if name in known else []
            cases.append(pytest.param(candidate, check, id=f"{label}-{name}", marks=marks))
    return pytest.mark.parametrize((argument, "check"), cases)
