"""A law of loads: how popular every expert is under a condition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.generators.loads.condition import Condition, condition_of
from traces.generators.loads.curve import Curve
from traces.header import check_header, checked_integer

#: A condition, its name, or several with their shares of the tokens.
Conditions: TypeAlias = Condition | str | Mapping["Condition | str", float]
#: No expert is taken by more of the tokens. An assumption of ours.
MOST_CHANCE = 0.98


@dataclass(frozen=True, eq=False, repr=False)
class LoadLaw:
    """Popularity of every expert as a function of phase, lengths and domain.

    The log popularity of an expert in a layer is ``base + sum_k coefficient_k * direction_k``.
    Coefficients depend on the condition alone, and directions on layer and expert alone.

    Parameters
    ----------
    model
        Name of the model.
    top_k
        Experts that a token chooses in one layer.
    base
        [layers, experts] log popularity where all coefficients are 0.
    directions
        [directions, layers, experts] changes of the log popularity.
    curves
        Coefficients by phase, and perhaps by domain.
    domains
        Names of domains, each with one more direction, the last ones of ``directions``: its
        coefficient is 1 for the tokens of the domain and 0 for others.
    recordings
        Name to [directions] coefficients of what was recorded, for names that state no condition.
    residual
        Standard deviation of log popularity between two samples of requests under one condition.
    sequence_correlation
        Correlation of two tokens of one request in whether they take an expert
        (:mod:`traces.generators.loads.sequences`).
    source
        Where the law comes from, in words.
    seed
        Of residuals.

    Raises
    ------
    ValueError
        If shapes do not fit each other or a number is out of its range.
    """

    model: str
    top_k: int
    base: ArrayLike
    directions: ArrayLike
    curves: tuple[Curve, ...] = ()
    domains: tuple[str, ...] = ()
    recordings: Mapping[str, tuple[float, ...]] | None = None
    residual: float = 0.0
    sequence_correlation: float = 0.0
    source: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("base", "directions"):
            array = np.array(getattr(self, name), np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        recordings = {
            name: tuple(map(float, values)) for name, values in (self.recordings or {}).items()
        }
        object.__setattr__(self, "recordings", recordings)
        object.__setattr__(self, "curves", tuple(self.curves))
        object.__setattr__(self, "domains", tuple(self.domains))
        _check(self)

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return int(np.shape(self.base)[0])

    @property
    def num_experts(self) -> int:
        """Logical experts of one layer."""
        return int(np.shape(self.base)[1])

    def coefficients(self, condition: Condition | str) -> NDArray[np.float64]:
        """Return the [directions] coefficients of a condition, or of a recording by its name.

        Raises
        ------
        ValueError
            If there is no curve for the phase and domain, or the condition lacks a length.
        """
        assert self.recordings is not None
        if isinstance(condition, str) and condition in self.recordings:
            return np.array(self.recordings[condition])
        try:
            condition = condition_of(condition)
        except ValueError as error:
            raise ValueError(f"{error}, and is no recording of the law: {self._known()}") from None
        of_domain = np.array([float(name == condition.domain) for name in self.domains])
        return np.concatenate([self._curve(condition)(condition), of_domain])

    def _curve(self, condition: Condition) -> Curve:
        """Return the curve of phase and domain, or of the phase if the domain has a direction."""
        for curve in self.curves:
            if curve.phase == condition.phase and curve.domain == condition.domain:
                return curve
        general = condition.domain in self.domains
        for curve in self.curves:
            if curve.phase == condition.phase and curve.domain is None and general:
                return curve
        raise ValueError(f"the law has no loads for {condition.name}; it has {self._known()}")

    def _known(self) -> str:
        """Return the phases, domains and recordings that the law has."""
        names = sorted({f"{c.phase}{':' + c.domain if c.domain else ''}" for c in self.curves})
        names += [f"any phase:{name}" for name in self.domains] + sorted(self.recordings or {})
        return ", ".join(names) or "none"

    def log_popularity(self, condition: Condition | str, sample: int = 0) -> NDArray[np.float64]:
        """Return [layers, experts] log popularity, up to a constant for each layer.

        Parameters
        ----------
        condition
            A condition or its name.
        sample
            Number of a sample of requests, each with a residual of its own; 0 has none.

        Raises
        ------
        ValueError
            If the law knows no such condition, or the sample is negative.
        """
        if checked_integer(sample, "sample") < 0:
            raise ValueError(f"sample = {sample} < 0; give 0 for no residual, or a number from 1")
        directions = np.asarray(self.directions)
        log = np.asarray(self.base) + np.tensordot(self.coefficients(condition), directions, axes=1)
        if sample and self.residual:
            random = np.random.default_rng([self.seed, sample])
            log = log + self.residual * random.standard_normal(log.shape)
        return log

    def share(self, conditions: Conditions, sample: int = 0) -> NDArray[np.float64]:
        """Return [layers, experts] shares of the load, each layer adding up to 1.

        Parameters
        ----------
        conditions
            A condition or its name, or several with their shares of the tokens: loads of mixtures
            are mixtures of loads.
        sample
            As for :meth:`log_popularity`.

        Raises
        ------
        ValueError
            If the law knows no such condition, or shares of tokens are negative or all 0.
        """
        if not isinstance(conditions, Mapping):
            return _shares(self.log_popularity(conditions, sample), self.top_k)
        weights = np.array(list(conditions.values()), np.float64)
        if not (weights.size and np.isfinite(weights).all() and weights.min() >= 0 < weights.sum()):
            raise ValueError(f"shares of the tokens are {weights.tolist()}; give one above 0")
        weights /= weights.sum()
        parts = [
            weight * self.share(one, sample)
            for one, weight in zip(conditions, weights, strict=True)
        ]
        return np.sum(parts, axis=0)

    def chance(self, conditions: Conditions, sample: int = 0) -> NDArray[np.float64]:
        """Return [layers, experts] chances that a token takes each expert, ``top_k`` times shares.

        Parameters and errors are those of :meth:`share`.
        """
        return self.top_k * self.share(conditions, sample)

    def replace(self, **changes: Any) -> "LoadLaw":
        """Return a copy with other parameters."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        number = len(np.asarray(self.directions))
        return (
            f"LoadLaw({self.model!r}, {self.num_layers} layers, {self.num_experts} experts, "
            f"top-{self.top_k}, {number} direction{'s' * (number != 1)})"
        )


def _shares(log: NDArray[np.float64], top_k: int) -> NDArray[np.float64]:
    """Return shares of the load; what is above the greatest chance goes to the other experts."""
    share = np.exp(log - log.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    most = max(MOST_CHANCE / top_k, 1 / share.shape[1])
    # What is taken off goes to the others and may lift them above the limit: again, until none is.
    for _ in range(share.shape[1]):
        full = share >= most
        if not (share > most).any():
            break
        left = 1 - most * full.sum(axis=1, keepdims=True)
        rest = np.where(full, 0.0, share)
        rest *= left / np.maximum(rest.sum(axis=1, keepdims=True), 1e-300)
        share = np.where(full, most, rest)
    return share


def _check(law: LoadLaw) -> None:
    base, directions = np.asarray(law.base), np.asarray(law.directions)
    if base.ndim != 2 or not base.size:
        raise ValueError(f"base has shape {base.shape}; give [layers, experts]")
    if directions.ndim != 3 or directions.shape[1:] != base.shape:
        raise ValueError(f"directions have shape {directions.shape}; give [any, *{base.shape}]")
    for name, array in (("base", base), ("directions", directions)):
        if not (np.abs(array) <= 100).all():
            raise ValueError(f"{name} has numbers beyond 100 or none at all; they are logarithms")
    check_header(law.model, law.top_k, law.num_experts, "unknown")
    for name, most in (("residual", 10.0), ("sequence_correlation", 0.99)):
        if not 0 <= getattr(law, name) <= most:
            raise ValueError(f"{name} = {getattr(law, name)} is outside 0 <= {name} <= {most}")
    if checked_integer(law.seed, "seed") < 0:
        raise ValueError(f"seed = {law.seed} < 0; give at least 0")
    of_curves = len(directions) - len(law.domains)
    for curve in law.curves:
        number = np.shape(curve.values)[1]
        if number != of_curves:
            raise ValueError(f"a curve has {number} coefficients for {of_curves} directions")
    for name, values in (law.recordings or {}).items():
        if len(values) != len(directions):
            raise ValueError(f"recording {name!r} has {len(values)} of {len(directions)} numbers")
    if len(set(law.domains)) != len(law.domains):
        raise ValueError(f"domains = {law.domains} name one twice")
