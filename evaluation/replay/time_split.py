"""Train, validation and test windows in order of time, and training on the first of them."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.replay.candidate_call import candidate_call
from evaluation.replay.replay_window import ReplayWindow
from evaluation.replay.scenario import Scenario


@dataclass(frozen=True)
class TrainingResult:
    """A solver or forecaster that is ready to be scored, and the first window to score.

    Parameters
    ----------
    candidate
        The solver or forecaster. It is trained if the scenario has a split and it has a ``fit``.
    scored_from
        First window that is scored.
    windows
        Number of windows to train, validate and test on; ``None`` without a split.
    """

    candidate: Any
    scored_from: int
    windows: dict[str, int] | None


def train(candidate: Any, windows: Iterable[ReplayWindow], scenario: Scenario) -> TrainingResult:
    """Train a solver or forecaster on the training windows of a scenario.

    Only ``fit(history)`` is called, with [windows, layers, experts] tokens. If ``fit`` takes
    ``validation``, it gets the validation windows in the same form. It never sees the test windows,
    and of a workload only the observed tokens.

    Parameters
    ----------
    candidate
        Solver or forecaster.
    windows
        All windows of the scenario, see :func:`evaluation.replay.traffic.windows_of`.
    scenario
        Defines the split.

    Raises
    ------
    ValueError
        If there are too few windows for the split. An error of ``fit`` itself is not caught.
    """
    if scenario.split is None:
        return TrainingResult(candidate, 1, None)
    loads = [window.observed.astype(np.float64) for window in windows]
    train_end, test_start = scenario.split_bounds(len(loads))
    sizes = {
        "train": train_end,
        "validation": test_start - train_end,
        "test": len(loads) - test_start,
    }
    if hasattr(candidate, "fit"):
        options = {}
        takes_validation = "validation" in inspect.signature(candidate.fit).parameters
        if test_start > train_end and takes_validation:
            options["validation"] = np.stack(loads[train_end:test_start])
        with candidate_call():
            candidate = candidate.fit(np.stack(loads[:train_end]), **options)
    return TrainingResult(candidate, test_start, sizes)
