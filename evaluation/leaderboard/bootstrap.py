"""Bootstrap samples of scores; each sample draws the same observations for all rows."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.observations import Observations, Runs
from evaluation.records.identity import ScenarioTrace

Array = NDArray[np.float64]


def bootstrap(rows: Sequence[Runs], *, follow: bool, samples: int = 2000, seed: int = 0) -> Array:
    """Return bootstrap samples of the scores of rows, [rows, samples].

    Each sample draws, within each scenario and with replacement, traces where there are several,
    their observations, and the runs of a random candidate. A score is then made from sums, never
    from a mean of ratios. All rows get the same drawn traces and observations, which keeps them
    paired. Observations that follow each other are drawn in blocks, since neighbours are alike:
    circular blocks of about the cube root of their number (Politis and Romano 1992, a circular
    block resampling procedure; the length's order is that of Hall, Horowitz and Jing 1995,
    doi:10.1093/biomet/82.3.561).

    Parameters
    ----------
    rows
        One for each row; all have the same scenarios and traces.
    follow
        Whether observations follow each other in time.
    samples, seed
        Number of bootstrap samples, and random seed.
    """
    scores = np.zeros((len(rows), samples))
    for number, scenario in enumerate(rows[0]):
        traces = list(rows[0][scenario])
        random = np.random.default_rng([seed, number])
        of_trace = _weights(len(traces), samples, random)
        of_observation = {
            trace: _block_weights(
                rows[0][scenario][trace].numerator.shape[1], follow, samples, random
            )
            for trace in traces
        }
        of_runs = int(random.integers(2**31))
        for row, runs in enumerate(rows):
            scores[row] += _score(runs[scenario], of_trace, of_observation, of_runs)
    return scores / len(rows[0])


def block_length(count: int) -> int:
    """Return the length of the blocks in which ``count`` observations are drawn."""
    return max(1, int(np.rint(np.cbrt(count))))


def _score(
    traces: Mapping[ScenarioTrace, Observations],
    of_trace: Array,
    of_observation: Mapping[ScenarioTrace, Array],
    seed: int,
) -> Array:
    """Return the score of one row in one scenario, [samples]."""
    above, below = np.zeros(len(of_trace)), np.zeros(len(of_trace))
    for weight, (trace, weights) in zip(of_trace.T, of_observation.items(), strict=True):
        part = traces[trace]
        # Rows with equally many runs have the same seeds: the same runs of them are drawn.
        random = np.random.default_rng(seed)
        of_run = _weights(len(part.numerator), len(of_trace), random)
        above += weight * ((weights @ part.numerator.T) * of_run).sum(axis=1)
        below += weight * ((weights @ part.denominator.T) * of_run).sum(axis=1)
    return above / below


def _weights(count: int, samples: int, random: np.random.Generator) -> Array:
    """Return how often each of ``count`` is drawn, over their number, [samples, count]."""
    even = np.full(count, 1.0 / count)
    return np.asarray(random.multinomial(count, even, size=samples) / count)


def _block_weights(count: int, follow: bool, samples: int, random: np.random.Generator) -> Array:
    """Return how often each observation is drawn, in circular blocks, [samples, observations]."""
    length = block_length(count) if follow else 1
    needed = -(-count // length)
    starts = random.integers(count, size=(samples, needed))
    taken = (starts[:, :, None] + np.arange(length)) % count
    taken = taken.reshape(samples, -1)[:, :count]
    weights = np.zeros((samples, count))
    np.add.at(weights, (np.arange(samples)[:, None], taken), 1.0)
    return weights
