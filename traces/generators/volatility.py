"""How much each expert drifts and varies, and the logits after drift."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.law import Law
from traces.generators.timeline import LawInterval

#: Largest factor on an expert's standard deviations. An assumption of ours.
HIGHEST_VOLATILITY = 4.0
#: Largest coefficient of variation of an expert, as for the law's own noise.
MOST_NOISE = 0.8


def volatility(law: Law, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return factors on the standard deviations of drift and noise.

    Parameters
    ----------
    law
        Its steadiness and layer_variation are used.
    probability
        [..., layers, experts] selection probabilities before drift.
    """
    popularity = probability * law.experts / law.top_k
    return volatility_of(popularity, law.steadiness, law.layer_variation)


def volatility_of(
    popularity: NDArray[np.float64], steadiness: float, layer_variation: object
) -> NDArray[np.float64]:
    """Return the same from popularity, the selection probability over its mean."""
    factor = np.ones_like(popularity)
    if steadiness:
        factor = np.minimum(np.maximum(popularity, 1e-9) ** -steadiness, HIGHEST_VOLATILITY)
    if layer_variation is not None:
        factor = factor * np.asarray(layer_variation, np.float64)[:, None]
    return factor


def drifted_logits(
    law: Law, base: NDArray[np.float64], still: NDArray[np.float64], interval: LawInterval
) -> NDArray[np.float64]:
    """Return the logits [domains, layers, experts] of an interval; mean weights do not change.

    ``still`` [layers, experts] are selection probabilities before drift, domains mixed.
    """
    now = np.take_along_axis(base, interval.place[None], axis=2)
    if interval.drift is None:
        return now
    # A shifted expert drifts as far as the one whose popularity it took.
    sigma = law.drift_sigma * np.take_along_axis(volatility(law, still), interval.place, axis=1)
    # Less half the variance, so that the mean of the weight stays.
    return now + (sigma * interval.drift - sigma**2 / 2)


def noise_of(law: Law, still: NDArray[np.float64], interval: LawInterval) -> NDArray[np.float64]:
    """Return [layers, experts] coefficients of variation of the weights, step by step."""
    if not law.noise:
        return np.zeros_like(still)
    factor = np.take_along_axis(volatility(law, still), interval.place, axis=1)
    return np.minimum(law.noise * factor, MOST_NOISE)
