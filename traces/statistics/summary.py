"""The summary of a trace."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.statistics.known import known_mean

Array = NDArray[np.float64]

#: Statistic to what it says; those with a number at the end (of ranks, of windows) by their stem.
DESCRIPTIONS = {
    "hottest": "load of the hottest expert over the mean, whole trace",
    "hottest_step": "the same within a step, mean of steps",
    "top_share": "share of the load on the hottest fifth of the experts",
    "above_mean": "share of experts with more than the mean load",
    "gini": "Gini coefficient of the loads: 0 even",
    "variation": "standard deviation over mean of the loads",
    "entropy": "entropy of the loads over its most: 1 even",
    "drift": "part of the load that changes experts from window to window",
    "drift_by_chance": "what of it drawing so many tokens explains",
    "persistence": "correlation of log loads over experts, windows apart",
    "autocorrelation": "of each expert's log load about its own mean, windows apart",
    "next_layer": "correlation of log loads with the next layer, same expert id",
    "coactivation": "share of pairs that tokens choose together beyond chance",
    "coactivation_by_chance": "what of it so few tokens explain",
    "coupling": "share of pairs with the next layer's choices beyond chance",
    "coupling_by_chance": "what of it so few tokens explain",
    "balancedness_ep": "mean over maximum rank load, experts in order of ids, mean of steps",
}


def describe(name: str) -> str:
    """Return what a statistic says; a number at its end is left out."""
    return DESCRIPTIONS[name.rstrip("0123456789").removesuffix("_")]


@dataclass(frozen=True, eq=False)
class Summary:
    """Statistics of a routing trace.

    Parameters
    ----------
    kind
        "routing" or "token".
    model, phase, top_k
        As the trace says.
    steps, window_steps, windows
        Steps, steps of a window, whole windows; what is left over is in no window.
    step_tokens
        Fewest, mean and most tokens of a step.
    step_tokens_given
        Tokens of a step that were asked for, where the trace has tokens in no steps.
    pair_tokens
        Tokens that the statistics of pairs are from; 0 for counts.
    statistics
        [layers] by name, as in :data:`DESCRIPTIONS`; NaN where there is nothing to go by.
    strongest
        (layer, expert, expert, lift) of the pair chosen together most beyond chance, highest first.
    load
        [layers, experts] tokens of the whole trace.
    timeline
        [bins, layers, experts] tokens of consecutive windows, a few together in a bin.
    bin_windows
        Windows in a bin.
    """

    kind: str
    model: str
    phase: str
    top_k: int
    steps: int
    window_steps: int
    windows: int
    step_tokens: tuple[float, float, float]
    step_tokens_given: int | None
    pair_tokens: int
    statistics: dict[str, Array]
    strongest: tuple[tuple[int, int, int, float], ...]
    load: Array
    timeline: NDArray[np.float32]
    bin_windows: int

    @property
    def layers(self) -> int:
        """MoE layers."""
        return self.load.shape[0]

    @property
    def experts(self) -> int:
        """Logical experts of a layer."""
        return self.load.shape[1]

    @property
    def overall(self) -> dict[str, float]:
        """Mean over the layers of every statistic."""
        return {name: known_mean(values) for name, values in self.statistics.items()}

    @property
    def rows(self) -> list[dict[str, float]]:
        """Statistics of every layer, its number under ``layer``."""
        return [
            {"layer": layer, **{name: float(v[layer]) for name, v in self.statistics.items()}}
            for layer in range(self.layers)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return numbers, text and lists for JSON; what is not known is None."""

        def plain(row: dict[str, float]) -> dict[str, float | None]:
            return {name: None if value != value else value for name, value in row.items()}

        fewest, mean, most = self.step_tokens
        return {
            **{name: getattr(self, name) for name in ("kind", "model", "phase", "top_k")},
            "layers": self.layers,
            "experts": self.experts,
            "steps": self.steps,
            "step_tokens": {"fewest": fewest, "mean": mean, "most": most},
            "step_tokens_given": self.step_tokens_given,
            "window_steps": self.window_steps,
            "windows": self.windows,
            "pair_tokens": self.pair_tokens,
            "overall": plain(self.overall),
            "by_layer": [plain(row) for row in self.rows],
            "strongest_pairs": [
                {"layer": layer, "experts": [one, other], "lift": lift}
                for layer, one, other, lift in self.strongest
            ],
        }
