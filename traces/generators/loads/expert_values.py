"""Base and directions drawn from a seed: the shape is given, the values of experts are not."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shape:
    """How log popularity is distributed over experts and layers.

    Parameters
    ----------
    base
        Standard deviation of the base over the experts of a layer, mean over layers.
    upper, top
        The base is normal below its middle. ``upper``: how much longer its upper half is stretched;
        ``top``: how much of that stretch is taken back for the hottest 1 %.
    spread
        [directions] share of each direction, as a correlation, that runs along the base: with it
        loads get wider or narrower.
    narrow
        [directions] how much of the upper half of that share is taken back.
    heavy
        [directions] stretch of the negative half of the rest of the direction.
    hot
        [directions] how much more popular experts vary along the direction.
    block_share
        Share of the variance that consecutive experts have in common, by blocks.
    depth, width
        Knots: depth from 0 (first MoE layer) to 1 (last), and relative standard deviation there.
    layer_noise
        Deviation of the logarithm of a layer's standard deviation, beside ``width``.
    direction_noise
        The same of the directions, in addition.
    """

    base: float
    upper: float
    top: float
    spread: tuple[float, ...]
    narrow: tuple[float, ...]
    heavy: tuple[float, ...]
    hot: tuple[float, ...]
    block_share: float
    depth: tuple[float, ...]
    width: tuple[float, ...]
    layer_noise: float
    direction_noise: float


def expert_values(
    shape: Shape, layers: int, experts: int, blocks: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return base [layers, experts] and directions [directions, layers, experts].

    In every layer the parts that do not run along the base are uncorrelated with it and with each
    other. So the coefficients alone say how far apart two conditions are.

    Parameters
    ----------
    shape
        How values are distributed.
    layers, experts
        Shape of the model.
    blocks
        Blocks of consecutive experts that are alike; they divide the experts evenly.
    seed
        Which values: another seed makes another model with the same moments.

    Raises
    ------
    ValueError
        If the blocks do not divide the experts.
    """
    if experts % blocks:
        raise ValueError(f"blocks = {blocks} do not divide {experts} experts evenly; give others")
    random = np.random.default_rng(seed)
    number = 1 + len(shape.spread)
    drawn = np.sqrt(1 - shape.block_share) * random.standard_normal((number, layers, experts))
    common = random.standard_normal((number, layers, blocks))
    drawn += np.sqrt(shape.block_share) * np.repeat(common, experts // blocks, axis=2)
    base_width, direction_width = _widths(shape, layers, random)

    # the experts of every layer have all quantiles of the normal law, in the order that was drawn
    score = _normal_scores(experts)[drawn[0].argsort(axis=1).argsort(axis=1)]
    base = _standardised(_stretched(score, shape.upper, 0.5, 0.3, shape.top))
    apart = [base]
    directions = []
    for k, spread in enumerate(shape.spread):
        along = base
        if shape.narrow[k]:
            along = _standardised(_stretched(score, -shape.narrow[k], 0.5, 0.3, 0.0))
            apart.append(_without(along, apart))
        # Turned over, since the negative half is stretched.
        rest = -_stretched(-drawn[k + 1], shape.heavy[k], 0.5, 0.3, 0.0)
        # Uncorrelated with the base and with the directions before.
        apart.append(_without(rest * (1 + shape.hot[k] * np.maximum(score, 0)), apart))
        directions.append(spread * along + np.sqrt(1 - spread**2) * apart[-1])
    return shape.base * base_width * base, direction_width * np.stack(directions)


def _normal_scores(number: int) -> NDArray[np.float64]:
    quantile = NormalDist().inv_cdf
    return np.array([quantile((n + 0.5) / number) for n in range(number)])


def _stretched(
    score: NDArray[np.float64], more: float, above: float, within: float, top: float
) -> NDArray[np.float64]:
    """Return scores whose slope rises by ``more`` at ``above`` and falls by ``top`` at 2.3.

    2.3 is the 99th percentile of the normal law; the slope changes over a width of ``within``.
    """
    bent = score + more * within * np.logaddexp(0, (score - above) / within)
    if top:
        bent = bent - top * 0.2 * np.logaddexp(0, (score - 2.3) / 0.2)
    return bent


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values = values - values.mean(axis=1, keepdims=True)
    return values / np.maximum(values.std(axis=1, keepdims=True), 1e-12)


def _without(values: NDArray[np.float64], others: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return standardised values, uncorrelated in every layer with ``others``, which are such."""
    values = _standardised(values)
    for other in others:
        values = values - (values * other).mean(axis=1, keepdims=True) * other
    return _standardised(values)


def _widths(
    shape: Shape, layers: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [layers, 1] relative widths of base and directions, each with mean 1."""
    at = np.linspace(0, 1, layers) if layers > 1 else np.zeros(1)
    width = np.interp(at, shape.depth, shape.width)
    width = width * np.exp(shape.layer_noise * random.standard_normal(layers))
    width /= width.mean()
    more = random.standard_normal(layers)
    if layers > 1:
        more = (more - more.mean()) / more.std()
    of_directions = width * np.exp(shape.direction_noise * more)
    return width[:, None], (of_directions / of_directions.mean())[:, None]
