"""Run the checks: in one call, or as one pytest test for each scheduler and check."""

from collections.abc import Mapping
from typing import Any

from lb.testing.outcomes import outcomes
from lb.testing.pytest_cases import parametrize
from schedulers.protocols import BatchPolicy, Router
from schedulers.testing.batch_checks import BATCH_CHECKS
from schedulers.testing.router_checks import ROUTER_CHECKS


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
    return outcomes(ROUTER_CHECKS, router, "router")


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
    return outcomes(BATCH_CHECKS, policy, "batch policy")


def parametrize_with_router_checks(routers: Mapping[str, Router]) -> Any:
    """Return a pytest decorator for a test with the arguments ``router`` and ``check``.

    Parameters
    ----------
    routers
        Name in the test's id to router.
    """
    return parametrize("router", _labelled(routers), ROUTER_CHECKS)


def parametrize_with_batch_checks(policies: Mapping[str, BatchPolicy]) -> Any:
    """Return a pytest decorator for a test with the arguments ``policy`` and ``check``.

    Parameters
    ----------
    policies
        Name in the test's id to batch policy.
    """
    return parametrize("policy", _labelled(policies), BATCH_CHECKS)


def _labelled(schedulers: Mapping[str, Any]) -> list[tuple[str, Any, Mapping[str, str]]]:
    """Return name, scheduler, and that it must pass all checks."""
    return [(name, scheduler, {}) for name, scheduler in schedulers.items()]
