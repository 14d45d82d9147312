"""A suite on a user's own recordings, and its verdict in words."""

from evaluation.kinds.own.describe import descriptions
from evaluation.kinds.own.setup import OwnSetup
from evaluation.kinds.own.suite import OwnSuite, own_suite
from evaluation.kinds.own.verdict import verdict

__all__ = ["OwnSetup", "OwnSuite", "descriptions", "own_suite", "verdict"]
