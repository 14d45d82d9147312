"""[rebalance] tables of a serving scenario: when and how experts are placed anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.serving.scenario import named_scheduler
from hardware import preset

#: What each key of a [rebalance] table may hold.
CHECKS: dict[str, preset.Check] = {
    "policy": named_scheduler.check,
    "solver": preset.text,
    "mode": preset.text,
    "window_s": preset.positive,
    "history_windows": preset.count_from_one,
}


@dataclass(frozen=True)
class RebalanceTable:
    """How task executors rebalance.

    Parameters
    ----------
    policy
        Registered rebalance policy, or a table of its name and parameters; asked after every
        window.
    solver
        Registered solver; its own time is not simulated.
    mode
        Of :data:`evaluation.serving.recovery.migration.MODES`.
    window_s
        Seconds of traffic whose expert load is counted together; xDeepServe section 4.5 collects
        "e.g. every minute".
    history_windows
        Windows that policy and solver see.
    """

    policy: Any = "interval"
    solver: str = "greedy"
    mode: str = "four-phase"
    window_s: float = 60.0
    history_windows: int = 8


def parse_rebalance(table: Mapping[str, Any], where: str) -> RebalanceTable:
    """Return the settings of a [rebalance] table; errors as ValueError naming the key."""
    return RebalanceTable(**preset.checked(where, dict(table), CHECKS, frozenset(CHECKS)))
