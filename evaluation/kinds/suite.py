"""A suite of any kind: scenarios, seeds and a time budget under one id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Kind of a suite or record that names no kind.
DEFAULT_KIND = "solver"


@dataclass(frozen=True)
class Suite:
    """Scenarios under one id, whose version rises whenever a score could change.

    Parameters
    ----------
    id
        Name with a version.
    scenarios
        Scenarios as the kind reads them.
    kind
        One of :data:`evaluation.kinds.KINDS`.
    seeds
        Random seeds, of generated inputs and of candidates that draw random numbers.
    budget_s
        Seconds that the suite should take with all of its usual candidates, on two cores with a
        warm cache. A longer run is reported, and is not stopped.
    solvers
        Candidates that run by default; empty: all registered ones.
    parameters
        Parameters of candidates, by name.
    options
        Values of the other keys that its kind has.
    """

    id: str
    scenarios: tuple[Any, ...]
    kind: str = DEFAULT_KIND
    seeds: tuple[int, ...] = (0,)
    budget_s: float | None = None
    solvers: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scenario_ids(self) -> list[str]:
        """Ids of the scenarios; dispatchers of one scenario share its id."""
        return list(dict.fromkeys(scenario.id for scenario in self.scenarios))
