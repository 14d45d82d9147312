"""Kinds of suites: one file or folder each, and one line here."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluation.kinds.suite import DEFAULT_KIND

if TYPE_CHECKING:
    from evaluation.kinds.kind import Kind

#: Name in a suite's TOML and in records, to the kind. A kind is loaded when it is needed.
KINDS = {
    "solver": "evaluation.kinds.solver:SOLVER",
    "fit": "evaluation.kinds.fit.fit:FIT",
    "forecast": "evaluation.kinds.forecast:FORECAST",
    "competition": "evaluation.kinds.competition.competition:COMPETITION",
    "serving": "evaluation.kinds.scheduler.scheduler:SCHEDULER",
    "faults": "evaluation.kinds.recovery:RECOVERY",
}


def named(name: Any) -> "Kind":
    """Return the kind of a name.

    Raises
    ------
    ValueError
        If no kind has the name.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"kind = {name!r} is not one of {', '.join(KINDS)}")
    module, _, attribute = KINDS[name].partition(":")
    kind: Kind = getattr(importlib.import_module(module), attribute)
    return kind


def name_of(table: Mapping[str, Any]) -> Any:
    """Return the name of the kind in a record or in a suite's TOML; it may be unknown."""
    return table.get("kind", DEFAULT_KIND)
