"""A sample of the layers of a law of loads, where all of them would take too long."""

import numpy as np

from traces.generators.loads import LoadLaw
from traces.workload.stratified import stratified


def layer_sample(law: LoadLaw, layers: int, seed: int) -> LoadLaw:
    """Return the law of some of its layers: one of each of ``layers`` stretches of its depth.

    Raises
    ------
    ValueError
        If the law has not so many layers.
    """
    if not 1 <= layers <= law.num_layers:
        raise ValueError(
            f"layers = {layers} is outside 1 <= layers <= {law.num_layers}, those of {law.model}"
        )
    every = np.zeros(law.num_layers, dtype=np.uint8)
    rows, _ = stratified(every, layers, np.random.default_rng([seed, layers]))
    return law.replace(
        base=np.asarray(law.base)[rows], directions=np.asarray(law.directions)[:, rows]
    )
