"""Expert popularity of a workload: the shares that placements are fitted on and judged on."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluation.replay.judged_window import judged_window
from evaluation.replay.scenario import Scenario
from hardware import Model

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WorkloadPopularity:
    """Shares of the token copies in two neighbouring windows.

    Parameters
    ----------
    fitted
        [layers, experts] shares in the window that placements are fitted on.
    judged
        [layers, experts] shares in the next one, of other sequences.
    """

    fitted: Array
    judged: Array

    @property
    def num_layers(self) -> int:
        """MoE layers of the workload."""
        return len(self.fitted)

    @property
    def skew(self) -> float:
        """Zipf's exponent that fits the more popular half of the experts, median of the layers.

        It is the slope of log share over log rank. It compares a workload with the law; the map of
        the workload itself uses the shares.
        """
        experts = max(2, self.fitted.shape[1] // 2)
        popular = -np.sort(-self.fitted, axis=1)[:, :experts]
        rank = np.log(np.arange(1, experts + 1))
        least = popular[popular > 0].min()
        slopes = np.polyfit(rank, np.log(np.maximum(popular, least)).T, 1)[0]
        return float(-np.median(slopes))


@lru_cache(maxsize=2)
def workload_popularity(
    workload: str, model: str, window_s: float, window: int, seed: int
) -> WorkloadPopularity:
    """Return the popularity in a window of a workload and in the one before it.

    Parameters
    ----------
    workload
        Bundled workload, or a ``.toml`` file.
    model
        Preset of the model that it was made for.
    window_s
        Seconds of a window.
    window
        Number of the window that judges, from 1.
    seed
        Repetition of a workload that is drawn.

    Raises
    ------
    ValueError
        If there is no such workload or window, a layer has no tokens, or the model has other
        experts.
    """
    experts = Model.preset(model).experts
    scenario = Scenario(
        workload,
        (),
        model,
        num_ranks=1,
        slots_per_rank=experts,
        window_steps=0,
        window_s=window_s,
        sampled_steps=1,
        windows=window + 1,
        workload=(workload,),
    )
    judged = judged_window(scenario, seed, window)
    return WorkloadPopularity(_share(judged.history[-1]), _share(judged.window.load))


def _share(load: NDArray[np.int64]) -> Array:
    total = load.sum(axis=1, keepdims=True)
    if not total.all():
        layer = int(np.flatnonzero(total[:, 0] == 0)[0])
        raise ValueError(f"layer {layer} has no tokens in a window; give longer windows")
    share: Array = load / total
    return share
