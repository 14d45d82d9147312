"""A sample of the layers of a model, where all of them would take too long."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.loads import LoadLaw
from traces.workload.stratified import stratified


def layer_sample(law: LoadLaw, layers: int, seed: int) -> LoadLaw:
    """Return the law of some of its layers: those of :func:`sampled_layers`.

    Raises
    ------
    ValueError
        If the law has not so many layers.
    """
    rows = sampled_layers(law.num_layers, layers, seed)
    return law.replace(
        base=np.asarray(law.base)[rows], directions=np.asarray(law.directions)[:, rows]
    )


def sampled_layers(every: int, layers: int, seed: int) -> NDArray[np.int64]:
    """Return some of the layers of a model: one of each of ``layers`` stretches of its depth.

    Raises
    ------
    ValueError
        If there are not so many layers.
    """
    if not isinstance(layers, int) or not 1 <= layers <= every:
        raise ValueError(f"layers = {layers!r} is outside 1 <= layers <= {every}, those recorded")
    depth = np.zeros(every, dtype=np.uint8)
    rows, _ = stratified(depth, layers, np.random.default_rng([seed, layers]))
    return rows
