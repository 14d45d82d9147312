"""Checks that every scheduler passes, built in or your own."""

from schedulers.testing.batch_checks import BATCH_CHECKS, check_batch_policy
from schedulers.testing.router_checks import ROUTER_CHECKS, check_router

__all__ = ["BATCH_CHECKS", "ROUTER_CHECKS", "check_batch_policy", "check_router"]
