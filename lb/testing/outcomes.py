"""Outcomes of conformance checks on one candidate."""

import unittest
from collections.abc import Callable, Mapping
from typing import Any

from lb.solve import solver_name


def outcomes(
    checks: Mapping[str, Callable[[Any], None]],
    candidate: Any,
    noun: str,
    known: Mapping[str, str] | None = None,
    caught: type[Exception] = Exception,
) -> dict[str, str]:
    """Run checks and return what came of each.

    Parameters
    ----------
    checks
        Name to check.
    candidate
        What is checked.
    noun
        What it is, for the error: "solver".
    known
        Name of a check to the reason why the candidate cannot pass it; it must still fail.
    caught
        Errors that count as a failed check; others go through.

    Returns
    -------
    dict
        Name of each check to "passed", "skipped: …" or "known failure: …".

    Raises
    ------
    AssertionError
        Listing every check that failed, or passed although it is listed as a known failure.
    """
    known = known or {}
    found = {
        name: _outcome(check, candidate, known.get(name), caught) for name, check in checks.items()
    }
    failed = [f"{name} {text}" for name, text in found.items() if text.startswith("failed")]
    if failed:
        label = solver_name(candidate)
        raise AssertionError(f"{noun} {label!r} does not conform:\n  " + "\n  ".join(failed))
    return found


def _outcome(
    check: Callable[[Any], None], candidate: Any, known: str | None, caught: type[Exception]
) -> str:
    try:
        check(candidate)
    except unittest.SkipTest as reason:
        return f"skipped: {reason}"
    except caught as error:
        return f"known failure: {known}" if known else f"failed: {error}"
    return f"failed: it passed, although listed as a known failure ({known})" if known else "passed"
