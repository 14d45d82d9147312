"""How the weights of a recording vary around their domain: white noise, and slow drift."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.generators.moments import elasticity


@dataclass
class Variation:
    """Relative variance of an expert's weight, split by how long it lasts.

    Parameters
    ----------
    noise
        Coefficient of variation from frame to frame, without memory.
    drift_sigma
        Standard deviation of the logarithm of what lasts.
    drift_frames
        Frames after which the correlation of that has fallen to 1/e.
    """

    noise: float
    drift_sigma: float
    drift_frames: float


def variation(
    chance: NDArray[np.float64], tokens: NDArray[np.int64], domain: NDArray[np.int64]
) -> Variation:
    """Return what beyond the drawing of tokens makes shares differ from their domain's mean.

    The autocovariance of relative deviations, popular experts counting more, is matched by least
    squares with three terms: the drawing of tokens (known), noise (lag 0 alone) and an exponential
    decay, of which the best of a range of lengths is taken. That means are taken over
    few frames lowers every lag alike, and enters each term.

    Parameters
    ----------
    chance
        [frames, layers, experts] of a token.
    tokens, domain
        [frames] of each frame.
    """
    frames = len(chance)
    deviation = np.empty_like(chance)
    mean = np.empty_like(chance)
    for one in np.unique(domain):
        inside = domain == one
        mean[inside] = chance[inside].mean(axis=0)
    deviation = (chance - mean) / np.sqrt(np.maximum(mean, 1e-12))
    whole = chance.sum(axis=2).mean() * chance.shape[1]
    lags = np.arange(max(1, min(frames - 1, frames // 2 + 1, 64)))
    found = np.array([_lagged(deviation, lag) / whole for lag in lags])
    drawn = ((1 - mean).sum(axis=(1, 2)) / whole / tokens).mean()
    sensitive = float((elasticity(mean) ** 2 * mean).sum() / mean.sum())
    found -= drawn * _seen(np.eye(1, len(lags))[0], lags, domain)
    white = _seen(np.eye(1, len(lags))[0], lags, domain)
    # early lags are known from more pairs, and matter most for the next window
    weight = np.sqrt((frames - lags) / (1 + lags))
    best = (np.inf, 0.0, 0.0, 1.0)
    for length in np.geomspace(0.5, max(1.0, frames / 2), 40):
        decay = _seen(np.exp(-lags / length), lags, domain)
        noise, drift = _nonnegative(np.stack([white, decay], axis=1), found, weight)
        error = float(((weight * (found - noise * white - drift * decay)) ** 2).sum())
        if error < best[0]:
            best = error, noise, drift, float(length)
    _, noise, drift, length = best
    return Variation(
        float(np.sqrt(noise / sensitive)), float(np.sqrt(np.log1p(drift / sensitive))), length
    )


def _lagged(deviation: NDArray[np.float64], lag: int) -> float:
    pairs = len(deviation) - lag
    return float(np.vdot(deviation[:pairs], deviation[lag:])) / pairs


def _seen(
    lagged: NDArray[np.float64], lags: NDArray[np.int64], domain: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the autocovariance left once each domain's mean over its frames is taken away."""
    frames = len(domain)
    apart = np.abs(np.arange(frames)[:, None] - np.arange(frames)[None])
    full = np.where(apart < len(lagged), lagged[np.minimum(apart, len(lagged) - 1)], 0.0)
    belongs = (domain[:, None] == np.unique(domain)).astype(np.float64)
    away = np.eye(frames) - belongs / belongs.sum(axis=0) @ belongs.T
    left = away @ full @ away.T
    return np.array([np.trace(left, lag) / (frames - lag) for lag in lags])


def _nonnegative(
    columns: NDArray[np.float64], wanted: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the two least-squares coefficients, neither below 0."""
    a, b = columns * weight[:, None], wanted * weight
    both, *_ = np.linalg.lstsq(a, b, rcond=None)
    if (both >= 0).all():
        return float(both[0]), float(both[1])
    alone = [max(0.0, float(a[:, n] @ b / max(a[:, n] @ a[:, n], 1e-300))) for n in (0, 1)]
    errors = [float(((b - alone[n] * a[:, n]) ** 2).sum()) for n in (0, 1)]
    return (alone[0], 0.0) if errors[0] <= errors[1] else (0.0, alone[1])
