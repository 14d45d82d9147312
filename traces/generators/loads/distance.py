"""How far apart two loads are, in the four numbers by which recordings were compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class LoadDistance:
    """How far apart two loads are, means over layers.

    Parameters
    ----------
    total_variation
        Half the sum of the absolute differences of the shares: the part of the load that would
        have to move.
    correlation
        Of log loads over the experts of a layer.
    log_ratio_deviation
        Standard deviation over experts of the logarithm of the ratio of shares.
    top_shared
        Part of the 16 hottest experts of a layer that are among the 16 hottest of the other.
    """

    total_variation: float
    correlation: float
    log_ratio_deviation: float
    top_shared: float


def distance(load: ArrayLike, other: ArrayLike, top: int = 16) -> LoadDistance:
    """Return how far apart two loads [layers, experts] are.

    Where there is no load, half a token stands for it, or half of the least share of the layer.

    Parameters
    ----------
    load, other
        [layers, experts] tokens or shares.
    top
        How many of the hottest experts are compared.

    Raises
    ------
    ValueError
        If the shapes differ, or a layer has no load.

    Examples
    --------
    >>> distance([[3, 1]], [[1, 3]], top=1).total_variation
    0.5
    """
    p, q = shares_of(load), shares_of(other)
    if p.shape != q.shape:
        raise ValueError(f"loads have shapes {p.shape} and {q.shape}; give two of the same shape")
    log_p, log_q = np.log(p), np.log(q)
    a = log_p - log_p.mean(axis=1, keepdims=True)
    b = log_q - log_q.mean(axis=1, keepdims=True)
    norm = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    correlation = np.where(norm > 0, (a * b).sum(axis=1) / np.where(norm > 0, norm, 1), 1.0)
    hot_p, hot_q = _hottest(p, top), _hottest(q, top)
    return LoadDistance(
        float(0.5 * np.abs(p - q).sum(axis=1).mean()),
        float(correlation.mean()),
        float((log_p - log_q).std(axis=1).mean()),
        float((hot_p & hot_q).sum(axis=1).mean() / min(top, p.shape[1])),
    )


def shares_of(load: ArrayLike) -> NDArray[np.float64]:
    """Return the shares [layers, experts] of a load, none of them 0.

    Raises
    ------
    ValueError
        If the load has another number of axes, is negative, or a layer has none.
    """
    tokens = np.asarray(load, np.float64)
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"load has shape {tokens.shape}; give [layers, experts]")
    if not (np.isfinite(tokens) & (tokens >= 0)).all():
        layer, expert = map(int, np.argwhere(~(np.isfinite(tokens) & (tokens >= 0)))[0])
        value = tokens[layer, expert]
        raise ValueError(f"load at layer {layer}, expert {expert} is {value}; give tokens >= 0")
    if not tokens.any(axis=1).all():
        layer = int(np.argmin(tokens.any(axis=1)))
        raise ValueError(f"layer {layer} has no load; leave dense layers out")
    least = np.min(tokens, axis=1, keepdims=True, where=tokens > 0, initial=1.0)
    tokens = np.where(tokens > 0, tokens, least / 2)
    return tokens / tokens.sum(axis=1, keepdims=True)


def _hottest(share: NDArray[np.float64], top: int) -> NDArray[np.bool_]:
    order = np.argsort(-share, axis=1, kind="stable")[:, :top]
    hot = np.zeros(share.shape, bool)
    np.put_along_axis(hot, order, True, axis=1)
    return hot
