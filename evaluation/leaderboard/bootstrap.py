"""Scores drawn again from the same blocks, the same draws for all rows."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.bootstrap_blocks import Blocks, Runs
from evaluation.leaderboard.comparable import Cell

Array = NDArray[np.float64]


def resampled(rows: Sequence[Runs], *, follow: bool, draws: int = 2000, seed: int = 0) -> Array:
    """Return scores of rows under repeated drawing, [rows, draws].

    In every draw and scenario, traces are drawn again with replacement where there are several,
    their blocks are, and the runs of a candidate that draws lots are. A score is then made from
    sums, never from a mean of ratios. All rows meet the same draws of traces and blocks, so that
    what is luck of the traffic stays paired. Blocks that follow each other are drawn in stretches,
    since neighbours are alike: circular stretches of about the cube root of their number (Politis
    and Romano 1992, a circular block resampling procedure; the length's order is that of Hall,
    Horowitz and Jing 1995, doi:10.1093/biomet/82.3.561).

    Parameters
    ----------
    rows
        One for each row; all have the same scenarios and traces.
    follow
        Whether blocks follow each other in time.
    draws, seed
        How many, and of the generator.
    """
    scores = np.zeros((len(rows), draws))
    for number, scenario in enumerate(rows[0]):
        cells = list(rows[0][scenario])
        random = np.random.default_rng([seed, number])
        of_cell = _weights(len(cells), draws, random)
        of_block = {
            place: _stretches(rows[0][scenario][place].numerator.shape[1], follow, draws, random)
            for place in cells
        }
        lots = int(random.integers(2**31))
        for row, runs in enumerate(rows):
            scores[row] += _drawn(runs[scenario], of_cell, of_block, lots)
    return scores / len(rows[0])


def _drawn(
    cells: Mapping[Cell, Blocks], of_cell: Array, of_block: Mapping[Cell, Array], lots: int
) -> Array:
    above, below = np.zeros(len(of_cell)), np.zeros(len(of_cell))
    for weight, (place, weights) in zip(of_cell.T, of_block.items(), strict=True):
        part = cells[place]
        # those with equally many runs have the same seeds, and meet the same draws
        of_run = _weights(len(part.numerator), len(of_cell), np.random.default_rng(lots))
        above += weight * ((weights @ part.numerator.T) * of_run).sum(axis=1)
        below += weight * ((weights @ part.denominator.T) * of_run).sum(axis=1)
    return above / below


def _weights(count: int, draws: int, random: np.random.Generator) -> Array:
    """Return how often each of ``count`` is drawn, over their number, [draws, count]."""
    even = np.full(count, 1.0 / count)
    return np.asarray(random.multinomial(count, even, size=draws) / count)


def stretch(count: int) -> int:
    """Return the length of the stretches that so many blocks are drawn in."""
    return max(1, int(np.rint(np.cbrt(count))))


def _stretches(count: int, follow: bool, draws: int, random: np.random.Generator) -> Array:
    """Return how often each block is drawn, in circular stretches, [draws, blocks]."""
    length = stretch(count) if follow else 1
    needed = -(-count // length)
    starts = random.integers(count, size=(draws, needed))
    taken = (starts[:, :, None] + np.arange(length)) % count
    taken = taken.reshape(draws, -1)[:, :count]
    weights = np.zeros((draws, count))
    np.add.at(weights, (np.arange(draws)[:, None], taken), 1.0)
    return weights
