"""Estimate from several recordings along how few directions their loads differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.generators.loads.condition import Condition
from traces.generators.loads.curve import AXES, Curve
from traces.generators.loads.distance import shares_of
from traces.generators.loads.law import LoadLaw
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace

#: As many directions are kept as carry this part of the variance between recordings: the three of
#: DeepSeek-R1 carry 0.985. An assumption of ours.
EXPLAINED = 0.98
#: Lengths within so many doublings are one knot: the difference of two recordings over a small
#: distance would be a steep slope, made of noise. An assumption of ours.
ONE_LENGTH = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class Modes:
    """Directions along which recordings differ.

    Parameters
    ----------
    names
        [recordings] names.
    base
        [layers, experts] mean log load, ``log(experts * share)``.
    directions
        [directions, layers, experts], each of length 1 and at right angles to the others.
    coordinates
        [recordings, directions] of each recording, adding up to 0 over the recordings.
    variance_share
        [recordings - 1] part of the variance between recordings that each singular direction
        carries, those beyond the kept ones included, largest first.
    by_chance
        About what part of the variance comes from the drawing of tokens: with few tokens, the last
        directions are noise. 0 where shares are given and no counts.
    model, top_k
        Of the recordings.
    """

    names: tuple[str, ...]
    base: NDArray[np.float64]
    directions: NDArray[np.float64]
    coordinates: NDArray[np.float64]
    variance_share: NDArray[np.float64]
    by_chance: float
    model: str
    top_k: int

    @property
    def explained(self) -> float:
        """Part of the variance that the kept directions carry together."""
        return float(self.variance_share[: len(self.directions)].sum())

    def law(self, *, sequence_correlation: float = 0.0, seed: int = 0) -> LoadLaw:
        """Return the law that generates from these directions.

        It knows every recording by its name. Where names state a phase and lengths, as
        ``decode_in1000out500`` does, the law also has curves, and so any other length: over
        the prompt or the output, whichever took more values in the phase (if alike, the prompt in
        prefill and the output in decode). Recordings of nearly one length are averaged. Domains
        follow a colon, as in ``prefill_in1024:code``. What is neither explained nor chance becomes
        the residual of a sample.

        Parameters
        ----------
        sequence_correlation
            Of the tokens of one request; loads do not tell it.
        seed
            Of residuals.
        """
        cells = self.base.size
        total = (self.coordinates**2).sum() / max(self.explained, 1e-12)
        # Neither explained nor chance: spread over recordings and cells it is the residual.
        left = total * max(1 - self.explained - self.by_chance, 0.0)
        scale = np.sqrt(cells)  # coefficients are then deviations of log popularity
        coefficients = (self.coordinates / scale).round(6)
        listed = {
            name: tuple(row.tolist()) for name, row in zip(self.names, coefficients, strict=True)
        }
        return LoadLaw(
            self.model,
            self.top_k,
            self.base.round(5),
            (self.directions * scale).round(5),
            curves_of(self.names, coefficients),
            recordings=listed,
            residual=round(float(np.sqrt(left / (len(self.names) - 1) / cells)), 5),
            sequence_correlation=sequence_correlation,
            source=f"fitted to {', '.join(self.names)}",
            seed=seed,
        )

    def __repr__(self) -> str:
        shares = ", ".join(f"{share:.1%}" for share in self.variance_share[: len(self.directions)])
        return f"Modes({len(self.names)} recordings, {len(self.directions)} directions: {shares})"


def modes(
    recordings: Mapping[str, Any],
    *,
    directions: int | None = None,
    model: str = "unknown",
    top_k: int = 1,
) -> Modes:
    """Return the directions along which the loads of recordings differ.

    They are the singular vectors of the log loads [recordings, layers * experts], centred over the
    recordings. An expert that got no token counts as one that got half a token.

    Parameters
    ----------
    recordings
        Name to recording, at least two: any trace, in memory or on disk, of which all steps are
        added up, or an array of counts [layers, experts] or [windows, layers, experts].
    directions
        How many to keep; by default as many as carry 98 % of the variance.
    model, top_k
        Of arrays, which do not tell.

    Raises
    ------
    ValueError
        If there are fewer than two recordings, they are of different models or shapes, all are
        equal, or ``directions`` is not below their number.

    Examples
    --------
    >>> found = modes({"a": [[4, 4]], "b": [[2, 6]], "c": [[1, 7]]})
    >>> found.coordinates.shape, round(found.explained, 3)
    ((3, 1), 1.0)
    """
    if len(recordings) < 2:
        raise ValueError(f"{len(recordings)} recordings are given; give at least two to compare")
    loads = [_load(recording) for recording in recordings.values()]
    model, top_k = _about(recordings, model, top_k)
    first = loads[0].shape
    for name, load in zip(recordings, loads, strict=True):
        if load.shape != first:
            raise ValueError(
                f"recording {name!r} has {load.shape} layers and experts, the first has {first}; "
                "give recordings of one model"
            )
    log = np.stack([np.log(shares_of(load) * first[1]) for load in loads])
    base = log.mean(axis=0)
    apart = (log - base).reshape(len(loads), -1)
    left, size, right = np.linalg.svd(apart, full_matrices=False)
    # Centring over the recordings leaves one direction fewer.
    variance = size[:-1] ** 2
    if variance.sum() <= 1e-12 * apart.size:
        raise ValueError("all recordings have the same shares; give some that differ")
    share = variance / variance.sum()
    kept = _kept(share, directions)
    sign = np.where(left[0, :kept] < 0, -1.0, 1.0)  # the first recording lies on the positive side
    chance = sum(map(_drawing_variance, loads))
    chance *= (1 - 1 / len(loads)) / float(variance.sum())
    return Modes(
        tuple(recordings),
        base,
        (right[:kept] * sign[:, None]).reshape(kept, *first),
        left[:, :kept] * size[:kept] * sign,
        share,
        min(chance, 1.0),
        model,
        top_k,
    )


def curves_of(names: tuple[str, ...], coefficients: NDArray[np.float64]) -> tuple[Curve, ...]:
    """Return a curve for each phase and domain of names that state conditions."""
    of: dict[tuple[str, str | None], list[tuple[Condition, NDArray[np.float64]]]] = {}
    for name, row in zip(names, coefficients, strict=True):
        try:
            condition = Condition.parse(name)
        except ValueError:
            continue
        of.setdefault((condition.phase, condition.domain), []).append((condition, row))
    return tuple(_curve(phase, domain, points) for (phase, domain), points in of.items())


def _curve(
    phase: str, domain: str | None, points: list[tuple[Condition, NDArray[np.float64]]]
) -> Curve:
    favourite = AXES[0] if phase == "prefill" else AXES[1]
    lengths = {axis: [getattr(condition, axis) for condition, _ in points] for axis in AXES}
    of_axis = {
        axis: _knots(np.array(lengths[axis], np.float64))
        for axis in AXES
        if None not in lengths[axis]
    }
    if not of_axis:
        mean = np.mean([row for _, row in points], axis=0)
        return Curve(phase, favourite, [1], mean[None], domain)
    axis = max(of_axis, key=lambda axis: (len(of_axis[axis][0]), axis == favourite))
    knots, place = of_axis[axis]
    rows = np.stack([row for _, row in points])
    values = np.stack([rows[place == knot].mean(axis=0) for knot in range(len(knots))])
    return Curve(phase, axis, knots, values, domain)


def _knots(lengths: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return knots, geometric means of lengths that are nearly one, and the knot of each length."""
    place = np.log2(lengths)
    label = np.zeros(len(lengths), np.int64)
    first, number = -np.inf, -1
    for at in np.argsort(place, kind="stable"):
        if place[at] - first > ONE_LENGTH:
            first, number = place[at], number + 1
        label[at] = number
    middle = [np.exp2(place[label == knot].mean()) for knot in range(number + 1)]
    return np.array(middle), label


def _kept(share: NDArray[np.float64], directions: int | None) -> int:
    if directions is None:
        return int(np.searchsorted(np.cumsum(share), min(EXPLAINED, float(share.sum())) - 1e-9)) + 1
    if not 1 <= directions <= len(share):
        raise ValueError(
            f"directions = {directions} is outside 1 <= directions <= {len(share)}, one below the "
            "number of recordings"
        )
    return directions


def _load(recording: Any) -> NDArray[np.float64]:
    """Return [layers, experts] tokens over all steps."""
    if isinstance(recording, StoredTrace):
        return np.sum([_load(part) for part in recording.parts()], axis=0)
    if isinstance(recording, TokenTrace):
        layers = recording.experts.swapaxes(0, 1)
        counted = [np.bincount(layer.ravel(), minlength=recording.num_experts) for layer in layers]
        return np.stack(counted).astype(np.float64)
    if isinstance(recording, RoutingTrace):
        return recording.counts.sum(axis=0, dtype=np.float64)
    counts = np.asarray(recording, np.float64)
    return counts.sum(axis=0) if counts.ndim == 3 else counts


def _drawing_variance(load: NDArray[np.float64]) -> float:
    """Return the summed variance of the logarithms of counts; shares, no counts, have none."""
    counted = (load == np.rint(load)).all()
    return float((1 / np.maximum(load, 0.5)).sum()) if counted else 0.0


def _about(recordings: Mapping[str, Any], model: str, top_k: int) -> tuple[str, int]:
    """Return model and top_k of the traces, which must agree, or those given for arrays."""
    traces = {name: trace for name, trace in recordings.items() if hasattr(trace, "top_k")}
    about = {(str(trace.model), int(trace.top_k)) for trace in traces.values()}
    if len(about) > 1:
        raise ValueError(f"recordings are of different models, {sorted(about)}; give one model's")
    return about.pop() if about else (model, top_k)
