"""Conformance checks for schedulers.

In pytest, one test for every router and check::

    @schedulers.testing.parametrize_with_router_checks({"mine": my_router})
    def test_conformance(router, check):
        check(router)

Those of batch policies: :func:`check_batch_policy`, :func:`parametrize_with_batch_checks`.
"""

from schedulers.testing.batch_checks import BATCH_CHECKS
from schedulers.testing.instances import CLOSED, QUEUES, SITUATIONS
from schedulers.testing.parametrize import (
    check_batch_policy,
    check_router,
    parametrize_with_batch_checks,
    parametrize_with_router_checks,
)
from schedulers.testing.router_checks import ROUTER_CHECKS

__all__ = [
    "BATCH_CHECKS",
    "CLOSED",
    "QUEUES",
    "ROUTER_CHECKS",
    "SITUATIONS",
    "check_batch_policy",
    "check_router",
    "parametrize_with_batch_checks",
    "parametrize_with_router_checks",
]
