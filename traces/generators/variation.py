"""Estimate how weights vary within a domain: white noise, and slow drift."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.generators.moments import elasticity
from traces.generators.volatility import volatility_of


@dataclass
class Variation:
    """Relative variance of an expert's weight: how large, how long, and of which experts.

    Parameters
    ----------
    noise
        Coefficient of variation from frame to frame, without memory.
    drift_sigma
        Standard deviation of the logarithm of what lasts.
    drift_frames
        Frames after which the correlation of that has fallen to 1/e.
    steadiness, layer_variation
        As in :class:`traces.generators.Law`.
    """

    noise: float
    drift_sigma: float
    drift_frames: float
    steadiness: float
    layer_variation: NDArray[np.float64]


def variation(
    chance: NDArray[np.float64],
    tokens: NDArray[np.int64],
    domain: NDArray[np.int64],
    sensitive: NDArray[np.float64] | None = None,
) -> Variation:
    """Return what beyond the drawing of tokens makes shares differ from their domain's mean.

    Which experts vary more is found from the variances: a power of the popularity, and a factor
    for each layer. Then how much the mean shares of 1, 2, 4 … frames differ from those of as many
    frames that follow (Allan variance, Proc. IEEE 54, 1966) is matched by least squares with noise
    and an exponentially correlated drift, of which the best of a range of lengths is taken: that
    difference is what a placement meets in the next window.

    Parameters
    ----------
    chance
        [frames, layers, experts] of a token.
    tokens, domain
        [frames] of each frame.
    sensitive
        [domains, layers, experts] how much a chance grows with the logarithm of a weight; by
        default that of tokens of one kind.
    """
    frames = len(chance)
    mean = np.stack([chance[domain == one].mean(axis=0) for one in np.unique(domain)])
    size = np.bincount(domain)
    # Deviations from the domain's mean, and the variance that drawing tokens alone explains.
    deviation = chance - mean[domain]
    drawn = np.stack(
        [mean[d] * (1 - mean[d]) * (1 / tokens[domain == d]).mean() for d in range(len(mean))]
    )
    variance = np.stack([(deviation[domain == d] ** 2).mean(axis=0) for d in range(len(mean))])
    # The mean was taken from the same frames.
    degrees = ((size - 1) / size)[:, None, None]
    if sensitive is None:
        sensitive = mean * elasticity(mean)
    variance /= np.maximum(degrees, 0.5)
    steadiness, layers = _volatility(mean, variance, drawn, size, sensitive**2)
    factor = volatility_of(_popularity(mean), steadiness, layers)
    spans = 2 ** np.arange(max(1, int(np.log2(max(1, frames // 3))) + 1))
    share = (size / frames)[:, None, None]
    found = np.array([_allan(deviation, int(span)) for span in spans])
    # a mean over few frames has taken part of the drawing away, too
    found -= float((share * degrees * drawn).sum()) / spans
    # What a coefficient of variation of 1 would bring.
    unit = float((share * (sensitive * factor) ** 2).sum())
    noise, drift, length = _split(found / unit, spans, frames)
    return Variation(
        float(np.sqrt(noise)), float(np.sqrt(np.log1p(drift))), length, steadiness, layers
    )


def _popularity(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return mean / mean.mean(axis=2, keepdims=True)


def _volatility(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    drawn: NDArray[np.float64],
    size: NDArray[np.int64],
    square: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """Return steadiness, and factors of the layers whose mean square is 1.

    All arrays are [domains, layers, experts], ``size`` [domains] frames; ``square`` is how much a
    chance grows with the logarithm of a weight, squared. Least squares on what is
    beyond drawing, in units of what drawing brings to each cell.
    """
    beyond = variance - drawn
    many = (size > 1)[:, None, None] * size[:, None, None]
    # Cells in which drawing brings little are known best.
    known = many / np.maximum(drawn, 1e-12) ** 2
    none = np.ones(mean.shape[1])
    best = (np.inf, 0.0)
    for steadiness in np.arange(0.0, 1.01, 0.05):
        model = square * volatility_of(_popularity(mean), float(steadiness), None) ** 2
        scale = max(
            0.0, float((known * model * beyond).sum() / max((known * model**2).sum(), 1e-300))
        )
        error = float((known * (beyond - scale * model) ** 2).sum())
        if scale > 0 and error < best[0]:
            best = error, float(steadiness)
    steadiness = round(best[1], 2)
    model = square * volatility_of(_popularity(mean), steadiness, None) ** 2
    # The same fit for each layer by itself.
    below = np.maximum((known * model**2).sum(axis=(0, 2)), 1e-300)
    layers = np.maximum((known * model * beyond).sum(axis=(0, 2)) / below, 0.0)
    if layers.sum() <= 0:
        return steadiness, none
    return steadiness, np.clip(np.sqrt(layers / layers.mean()), 0.1, 3.0)


def _split(
    found: NDArray[np.float64], spans: NDArray[np.int64], frames: int
) -> tuple[float, float, float]:
    """Return the variances of noise and drift, and how many frames drift lasts."""
    # short spans are known from more pairs; errors are relative
    weight = np.sqrt(frames / spans) / np.maximum(np.abs(found), 1e-12)
    best = (np.inf, 0.0, 0.0, 1.0)
    for length in np.geomspace(0.3, max(1.0, frames / 2), 60):
        columns = np.stack([1 / spans, _allan_of_drift(spans, float(length))], axis=1)
        noise, drift = _nonnegative(columns, found, weight)
        error = float(((weight * (found - columns @ [noise, drift])) ** 2).sum())
        if error < best[0]:
            best = error, noise, drift, float(length)
    return best[1:]


def _allan(deviation: NDArray[np.float64], span: int) -> float:
    """Return half the squared distance of the means of neighbouring ``span`` frames."""
    upto = np.concatenate([np.zeros((1, *deviation.shape[1:])), np.cumsum(deviation, axis=0)])
    means = (upto[span:] - upto[:-span]) / span
    apart = means[span:] - means[:-span]
    return float(np.vdot(apart, apart)) / (2 * len(apart)) if len(apart) else 0.0


def _allan_of_drift(spans: NDArray[np.int64], length: float) -> NDArray[np.float64]:
    """Return the same of a process with variance 1 whose correlation decays by e in ``length``."""
    values = []
    for span in spans:
        # How many pairs of frames are so far apart: within one span, and between neighbouring
        # spans.
        lag = np.arange(1 - span, 2 * span)
        hits = np.where(lag < span, span - np.abs(lag), 0)
        next_hits = np.maximum(span - np.abs(lag - span), 0)
        values.append(float(((hits - next_hits) * np.exp(-np.abs(lag) / length)).sum()) / span**2)
    return np.array(values)


def _nonnegative(
    columns: NDArray[np.float64], wanted: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the two least-squares coefficients, neither below 0."""
    a, b = columns * weight[:, None], wanted * weight
    both, *_ = np.linalg.lstsq(a, b, rcond=None)
    if (both >= 0).all():
        return float(both[0]), float(both[1])
    squares = np.maximum((a**2).sum(axis=0), 1e-300)
    alone = [max(0.0, float(a[:, n] @ b / squares[n])) for n in (0, 1)]
    errors = [float(((b - alone[n] * a[:, n]) ** 2).sum()) for n in (0, 1)]
    return (alone[0], 0.0) if errors[0] <= errors[1] else (0.0, alone[1])
