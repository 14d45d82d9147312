"""Sources of scatter of scores: repetitions with other seeds, or windows within one recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.bootstrap import block_length, bootstrap
from evaluation.leaderboard.observations import Array, Runs


@dataclass(frozen=True)
class Scatter:
    """One source of scatter, independent of the others.

    Parameters
    ----------
    deviations
        [rows, units]. The sum of squares of a row is the variance of its score, that of the
        difference of two rows the variance of the difference of their scores.
    freedom
        Degrees of freedom of these variances.
    repetitions
        Independent repetitions that they come from; 1: windows within one trace.
    """

    deviations: Array
    freedom: float
    repetitions: int

    def of_rows(self) -> Array:
        """Return the variances of the scores, [rows]."""
        return np.asarray((self.deviations**2).sum(axis=1))

    def of_differences(self) -> Array:
        """Return the variances of the differences of scores, [rows, rows]."""
        own = self.deviations
        # Row by row: differences of all pairs at once would need rows² times the memory.
        return np.stack([((own - row) ** 2).sum(axis=1) for row in own])


def scatters(rows: Sequence[Runs], *, follow: bool) -> tuple[list[Scatter], NDArray[np.bool_]]:
    """Return the sources of scatter, and for which rows they are known, [rows].

    Rows that ran on the same traces are paired. Rows under one dispatcher may have scenarios that
    those under another do not have: the scatter of such rows counts as independent.

    A row is not known if a scenario has a single trace with a single observation.

    Parameters
    ----------
    rows
        One for each row.
    follow
        Whether observations follow each other in time.
    """
    paired: dict[tuple[object, ...], list[int]] = {}
    for at, runs in enumerate(rows):
        key = tuple((name, *sorted(traces, key=repr)) for name, traces in sorted(runs.items()))
        paired.setdefault(key, []).append(at)
    sources: list[Scatter] = []
    known = np.zeros(len(rows), dtype=np.bool_)
    for places in paired.values():
        own = [_in_order(rows[at]) for at in places]
        found = [*_between_repetitions(own), *_within_traces(own, follow)]
        known[places] = all(np.isfinite(source.freedom) for source in found)
        for source in found:
            if np.isfinite(source.freedom):
                everywhere = np.zeros((len(rows), source.deviations.shape[1]))
                everywhere[places] = source.deviations
                sources.append(Scatter(everywhere, source.freedom, source.repetitions))
    return sources, known


def freedom(variances: Array, degrees: Array) -> Array:
    """Return the degrees of freedom of sums of variances (Welch-Satterthwaite).

    Parameters
    ----------
    variances
        [sources, ...].
    degrees
        Degrees of freedom of each source, [sources].

    References
    ----------
    F. E. Satterthwaite: An approximate distribution of estimates of variance components, 1946,
    doi:10.2307/3002019.
    """
    of_source = degrees.reshape(-1, *[1] * (variances.ndim - 1))
    largest = variances.max(axis=0)
    # A share of the largest variance, so that squares of tiny variances stay above 0.
    share = np.where(largest > 0, variances / np.where(largest > 0, largest, 1.0), 1.0)
    return np.asarray(share.sum(axis=0) ** 2 / (share**2 / of_source).sum(axis=0))


def _in_order(runs: Runs) -> Runs:
    return {
        name: dict(sorted(traces.items(), key=lambda trace: repr(trace[0])))
        for name, traces in sorted(runs.items())
    }


def _between_repetitions(rows: Sequence[Runs]) -> list[Scatter]:
    """Return the scatter of scenarios that ran on several traces.

    Scenarios with a seed in common are one source, paired by seed: the same seed may give them
    the same requests. A source has one less degree of freedom than its scenarios have seeds.
    """
    values = {name: _jackknife(rows, name) for name, own in rows[0].items() if len(own) > 1}
    found = []
    for names in _sharing_seeds({name: list(by_seed) for name, by_seed in values.items()}):
        seeds = dict.fromkeys(seed for name in names for seed in values[name])
        deviations = np.zeros((len(rows), len(seeds)))
        for column, seed in enumerate(seeds):
            for name in names:
                if seed in values[name]:
                    deviations[:, column] += values[name][seed]
        fewest = min(len(values[name]) for name in names)
        found.append(Scatter(deviations / len(rows[0]), fewest - 1.0, fewest))
    return found


def _jackknife(rows: Sequence[Runs], scenario: str) -> dict[object, Array]:
    """Return what each seed adds to the deviation of a scenario's score, [rows] each.

    The score is a ratio of sums over repetitions. Its pseudo-value of a repetition is
    n · score - (n - 1) · score without the repetition (Tukey 1958; for ratios Miller 1974,
    doi:10.1093/biomet/61.1.1). Where all denominators are alike that is the repetition's own score.
    """
    traces = list(rows[0][scenario])
    parts = [[runs[scenario][trace] for trace in traces] for runs in rows]
    # A repetition weighs the same with however many runs of a random candidate.
    above = np.array([[own.numerator.sum() / len(own.numerator) for own in row] for row in parts])
    below = np.array(
        [[own.denominator.sum() / len(own.denominator) for own in row] for row in parts]
    )
    count = len(traces)
    total_above, total_below = above.sum(axis=1, keepdims=True), below.sum(axis=1, keepdims=True)
    without = (total_above - above) / (total_below - below)
    pseudo = count * total_above / total_below - (count - 1) * without
    deviations = (pseudo - pseudo.mean(axis=1, keepdims=True)) / np.sqrt(count * (count - 1))
    return {trace.trace_seed: deviations[:, at] for at, trace in enumerate(traces)}


def _sharing_seeds(seeds: Mapping[str, Sequence[object]]) -> list[list[str]]:
    """Return groups of scenarios; those in different groups have no seed in common."""
    groups: list[tuple[set[object], list[str]]] = []
    for name, own in seeds.items():
        together, names = set(own), [name]
        apart = []
        for group in groups:
            if group[0] & together:
                together |= group[0]
                names = [*group[1], *names]
            else:
                apart.append(group)
        groups = [*apart, (together, names)]
    return [names for _, names in groups]


def _within_traces(rows: Sequence[Runs], follow: bool) -> list[Scatter]:
    """Return the scatter within scenarios that ran on a single trace.

    A mean of n drawn observations scatters by √((n - 1) / n) of what a mean of n new ones does.
    Degrees of freedom are not finite where a single observation says nothing about its scatter.
    """
    single = [name for name, traces in rows[0].items() if len(traces) == 1]
    if not single:
        return []
    counts = [
        _independent(part.numerator.shape[1], follow)
        for name in single
        for part in rows[0][name].values()
    ]
    if min(counts) < 2:
        return [Scatter(np.zeros((len(rows), 1)), np.inf, 1)]
    samples = bootstrap([{name: runs[name] for name in single} for runs in rows], follow=follow)
    centred = samples - samples.mean(axis=1, keepdims=True)
    degrees = sum(counts) - len(counts)
    scale = np.sqrt(sum(counts) / degrees / (samples.shape[1] - 1)) * len(single) / len(rows[0])
    return [Scatter(centred * scale, degrees, 1)]


def _independent(observations: int, follow: bool) -> float:
    """Return the number of observations, a block of neighbours that are alike being one."""
    return observations / block_length(observations) if follow else float(observations)
