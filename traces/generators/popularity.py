"""Base logits of every domain: how popular the experts are before anything drifts."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from traces.generators.law import Law


def along_layers(fresh: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    """Return standard normals correlated from layer to layer, from independent ones.

    Parameters
    ----------
    fresh
        [..., layers, experts], changed in place.
    correlation
        Of one expert id in a layer and the next; two layers apart it is squared.
    """
    if correlation:
        own = np.sqrt(1 - correlation**2)
        for layer in range(1, fresh.shape[-2]):
            fresh[..., layer, :] *= own
            fresh[..., layer, :] += correlation * fresh[..., layer - 1, :]
    return fresh


def base_logits(law: "Law", generator: np.random.Generator) -> NDArray[np.float64]:
    """Return [domains, layers, experts] logits, those of each layer averaging 0.

    Which expert is how popular is drawn layer by layer, along with the law's correlation; how
    popular the first, the second … are is the law of popularity.
    """
    shape = (law.layers, law.experts)
    ranking = along_layers(generator.standard_normal(shape), law.layer_correlation)
    own = generator.standard_normal((law.domains, *shape))
    if law.logits is not None:
        base = np.broadcast_to(np.asarray(law.logits, np.float64), (law.domains, *shape)).copy()
    else:
        base = np.broadcast_to(_drawn(law, ranking, generator), (law.domains, *shape)).copy()
    if law.affinity:
        base += law.affinity * along_layers(own, law.layer_correlation)
    return base - base.mean(axis=2, keepdims=True)


def _drawn(
    law: "Law", ranking: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    if law.popularity == "lognormal":
        return law.skew * ranking
    order = np.argsort(np.argsort(-ranking, axis=1), axis=1)
    if law.popularity == "zipf":
        return -law.skew * np.log1p(order)
    # gamma variables of shape a are those of shape a + 1 times U**(1/a); in logarithms, none is 0
    log = np.log(generator.standard_gamma(law.skew + 1, ranking.shape))
    log += np.log(1 - generator.random(ranking.shape)) / law.skew
    log = -np.sort(-log, axis=1)
    # weights below exp(-30) of the best are never chosen; they only must stay finite
    log = np.maximum(log, log[:, :1] - 30)
    return np.take_along_axis(log, order, axis=1)
