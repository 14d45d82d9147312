"""A stratified sample of the steps of a window."""

import numpy as np
from numpy.typing import NDArray


def stratified(
    phase: NDArray[np.uint8], size: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return ``size`` steps of each phase that occurs, and how many steps each stands for.

    The steps of a phase are cut in order of time into ``size`` stretches as equal as possible, and
    one step of each is chosen, each as likely. So the weighted mean over chosen steps is an
    unbiased estimate of the mean over all steps, whatever is measured of a step without looking at
    the choice.

    Parameters
    ----------
    phase
        [steps] of each step.
    size
        Steps of each phase; all of them where there are no more.
    random
        Makes the choice.

    Returns
    -------
    tuple
        [chosen] places of the steps, rising, and [chosen] weights that add up to all steps.
    """
    chosen, weight = [], []
    for value in np.unique(phase):
        steps = np.flatnonzero(phase == value)
        cuts = np.arange(min(size, len(steps)) + 1) * len(steps) // min(size, len(steps))
        lengths = np.diff(cuts)
        chosen.append(steps[cuts[:-1] + random.integers(lengths)])
        weight.append(lengths.astype(np.float64))
    if not chosen:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    places = np.concatenate(chosen)
    order = np.argsort(places)
    return places[order], np.concatenate(weight)[order]
