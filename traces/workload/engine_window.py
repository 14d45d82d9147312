"""A window of engine steps: the sum of its counts, and a few of its steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.workload.engine_steps import EngineSteps


@dataclass(frozen=True, eq=False, repr=False)
class EngineWindow:
    """Engine steps that are observed together.

    Parameters
    ----------
    number
        Of the window, from 0.
    start_s, end_s
        Its bounds in seconds. A window of a number of steps ends where the next one starts.
    num_steps
        Steps in it; 0 in a window of seconds without traffic.
    tokens
        Tokens of all its steps.
    counts
        [layers, experts] counts of all its steps, added up.
    sample
        A stratified sample of the steps, to be priced one by one.
    weight
        [sampled steps] steps of the window that each stands for; they add up to ``num_steps``.
    """

    number: int
    start_s: float
    end_s: float
    num_steps: int
    tokens: int
    counts: NDArray[np.int64]
    sample: EngineSteps
    weight: NDArray[np.float64]

    def __repr__(self) -> str:
        return (
            f"EngineWindow({self.number}: {self.num_steps} steps, {self.tokens} tokens from "
            f"{self.start_s:.6g} s to {self.end_s:.6g} s, {len(self.weight)} steps sampled)"
        )
