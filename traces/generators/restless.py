"""Which experts drift and vary more than others, and what drift does to the logits."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traces.generators.timeline import Interval

if TYPE_CHECKING:
    from traces.generators.law import Law

#: What an expert's deviations are multiplied with at most. An assumption of ours.
MOST_RESTLESS = 4.0
#: Largest coefficient of variation of an expert, as for the law's own noise.
MOST_NOISE = 0.8


def restless(law: "Law", chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return factors on the deviations of drift and noise.

    Parameters
    ----------
    law
        Whose steadiness and layer_variation are used.
    chance
        [..., layers, experts] of a token, nothing having drifted.
    """
    return restlessness(chance * law.experts / law.top_k, law.steadiness, law.layer_variation)


def restlessness(
    popularity: NDArray[np.float64], steadiness: float, layer_variation: object
) -> NDArray[np.float64]:
    """Return the same from popularity, the multiple of the mean chance."""
    factor = np.ones_like(popularity)
    if steadiness:
        factor = np.minimum(np.maximum(popularity, 1e-9) ** -steadiness, MOST_RESTLESS)
    if layer_variation is not None:
        factor = factor * np.asarray(layer_variation, np.float64)[:, None]
    return factor


def drifted(
    law: "Law", base: NDArray[np.float64], still: NDArray[np.float64], interval: Interval
) -> NDArray[np.float64]:
    """Return the logits [domains, layers, experts] of an interval; the mean weights stay.

    ``still`` [layers, experts] are the mixed chances, nothing having drifted.
    """
    now = np.take_along_axis(base, interval.place[None], axis=2)
    if interval.drift is None:
        return now
    sigma = law.drift_sigma * np.take_along_axis(restless(law, still), interval.place, axis=1)
    return now + (sigma * interval.drift - sigma**2 / 2)


def noise_of(law: "Law", still: NDArray[np.float64], interval: Interval) -> NDArray[np.float64]:
    """Return [layers, experts] coefficients of variation of the weights, step by step."""
    if not law.noise:
        return np.zeros_like(still)
    factor = np.take_along_axis(restless(law, still), interval.place, axis=1)
    return np.minimum(law.noise * factor, MOST_NOISE)
