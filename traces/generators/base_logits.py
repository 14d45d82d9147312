"""Base logits of every domain: the popularity of experts before drift."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.law import Law
from traces.generators.popularity import along_layers, dirichlet_logits, zipf_logits


def base_logits(law: Law, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return [domains, layers, experts] logits, those of each layer averaging 0.

    The law of popularity says how popular the first, the second … expert of a layer is. Which
    expert that is, is drawn for each layer, correlated from layer to layer as the law says.
    """
    shape = (law.layers, law.experts)
    ranking = along_layers(generator.standard_normal(shape), law.layer_correlation)
    own = generator.standard_normal((law.domains, *shape))
    if law.logits is not None:
        shared = np.asarray(law.logits, np.float64)
    else:
        shared = _popularity_logits(law, ranking, generator)
    base = np.broadcast_to(shared, (law.domains, *shape)).copy()
    if law.affinity:
        base += law.affinity * along_layers(own, law.layer_correlation)
    return base - base.mean(axis=2, keepdims=True)


def _popularity_logits(
    law: Law, ranking: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return [layers, experts] logits by the law of popularity, the highest ``ranking`` first."""
    if law.popularity == "lognormal":
        return law.skew * ranking
    rank = np.argsort(np.argsort(-ranking, axis=1), axis=1)
    if law.popularity == "zipf":
        return zipf_logits(rank, law.skew)
    return dirichlet_logits(rank, law.skew, generator)
