"""Replay, timing, records and the leaderboard; the command line is ``podlab``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.api import Scores, evaluate

__all__ = ["Scores", "evaluate"]


def __getattr__(name: str) -> Any:
    # what judges brings pandas, networkx and scipy along; who imports one module needs none of it
    if name in __all__:
        from evaluation import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
