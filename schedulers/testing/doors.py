"""The doors to the checks: one call, or one pytest test for every scheduler and check."""

import unittest
from collections.abc import Callable, Mapping
from typing import Any

from schedulers.protocols import BatchPolicy, Router
from schedulers.testing.batch_checks import BATCH_CHECKS
from schedulers.testing.router_checks import ROUTER_CHECKS

Check = Callable[[Any], None]


def check_router(router: Router) -> dict[str, str]:
    """Run every check on a router of any level.

    Parameters
    ----------
    router
        Any callable from requests and workers to the worker of each request.

    Returns
    -------
    dict
        Name of each check to "passed" or "skipped: …".

    Raises
    ------
    AssertionError
        Listing every check that failed.
    """
    return _all_of(ROUTER_CHECKS, router, "router")


def check_batch_policy(policy: BatchPolicy) -> dict[str, str]:
    """Run every check on a batch policy.

    Parameters
    ----------
    policy
        Any callable from a queue and the tokens of a step to tokens of each prompt.

    Returns
    -------
    dict
        Name of each check to "passed" or "skipped: …".

    Raises
    ------
    AssertionError
        Listing every check that failed.
    """
    return _all_of(BATCH_CHECKS, policy, "batch policy")


def parametrize_with_router_checks(routers: Mapping[str, Router]) -> Any:
    """Return a pytest decorator for a test with the arguments ``router`` and ``check``.

    Parameters
    ----------
    routers
        Name in the test's id to router.
    """
    return _parametrize("router", routers, ROUTER_CHECKS)


def parametrize_with_batch_checks(policies: Mapping[str, BatchPolicy]) -> Any:
    """Return a pytest decorator for a test with the arguments ``policy`` and ``check``.

    Parameters
    ----------
    policies
        Name in the test's id to batch policy.
    """
    return _parametrize("policy", policies, BATCH_CHECKS)


def _parametrize(argument: str, schedulers: Mapping[str, Any], checks: Mapping[str, Check]) -> Any:
    import pytest

    cases = [
        pytest.param(scheduler, check, id=f"{label}-{name}")
        for label, scheduler in schedulers.items()
        for name, check in checks.items()
    ]
    return pytest.mark.parametrize((argument, "check"), cases)


def _all_of(checks: Mapping[str, Check], scheduler: Any, noun: str) -> dict[str, str]:
    outcome = {name: _outcome(check, scheduler) for name, check in checks.items()}
    failed = [f"{name} {text}" for name, text in outcome.items() if text.startswith("failed")]
    if failed:
        label = getattr(scheduler, "__name__", type(scheduler).__name__)
        raise AssertionError(f"{noun} {label!r} does not conform:\n  " + "\n  ".join(failed))
    return outcome


def _outcome(check: Check, scheduler: Any) -> str:
    try:
        check(scheduler)
    except unittest.SkipTest as reason:
        return f"skipped: {reason}"
    except Exception as error:
        return f"failed: {error}"
    return "passed"
