"""Train, validation and test in order of time: what can learn does so, and all meet one test."""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.replay.scenario import Scenario
from lb.forecasters.history import windows_of


@dataclass(frozen=True)
class Learned:
    """What is scored, and from which window on.

    Parameters
    ----------
    made
        The solver or forecaster, fitted where the scenario has a split and it has a ``fit``.
    scored_from
        First window that is scored.
    windows
        How many there are to train, validate and test on; None without a split.
    """

    made: Any
    scored_from: int
    windows: dict[str, int] | None


def learned(made: Any, trace: Any, scenario: Scenario) -> Learned:
    """Return a solver or forecaster that has learned from the scenario's training windows.

    Only ``fit(history)`` [windows, layers, experts] is called, with ``validation`` of that form
    beside it where it takes one. The test windows are shown to nothing before they are over.

    Parameters
    ----------
    made
        Solver or forecaster.
    trace
        Anything with ``blocks()`` of routing counts.
    scenario
        Its split and its windows.

    Raises
    ------
    ValueError
        If the trace is too short for the split. Whatever ``fit`` raises goes through.
    """
    if scenario.split is None:
        return Learned(made, 1, None)
    loads = list(windows_of(trace, scenario.window_steps))
    trained, tested = scenario.parts_of(len(loads))
    found = {
        "train": trained,
        "validation": tested - trained,
        "test": len(loads) - tested,
    }
    if hasattr(made, "fit"):
        beside = {}
        if tested > trained and "validation" in inspect.signature(made.fit).parameters:
            beside["validation"] = np.stack(loads[trained:tested])
        made = made.fit(np.stack(loads[:trained]), **beside)
    return Learned(made, tested, found)
