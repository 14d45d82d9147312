"""Coefficients of the directions as smooth functions of a length."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.generators.loads.condition import PHASES, Condition

AXES = ("prompt_tokens", "output_tokens")


@dataclass(frozen=True, eq=False)
class Curve:
    """The coefficients of one phase, over the logarithm of one length.

    Between knots each coefficient is the monotone cubic of Fritsch and Butland: continuous with its
    slope, and never outside the two knots. Beyond the outermost knots it goes on with the slope
    that it has there, which fades to 1/e with every doubling of the length. So an extrapolated
    coefficient ends where the slope at the last knot would lead within one doubling. That is an
    assumption: nothing was recorded there.

    Parameters
    ----------
    phase
        "prefill" or "decode".
    axis
        Length that the coefficients depend on, "prompt_tokens" or "output_tokens".
    knots
        [knots] that length, rising; a single knot makes constants.
    values
        [knots, directions] coefficients.
    domain
        Domain that the curve is for; None: any.

    Raises
    ------
    ValueError
        If knots do not rise from 1 on, or the shapes do not fit.

    References
    ----------
    .. [1] F. N. Fritsch, J. Butland, A method for constructing local monotone piecewise cubic
       interpolants, SIAM J. Sci. Stat. Comput. 5, 1984. https://doi.org/10.1137/0905021
    """

    phase: str
    axis: str
    knots: ArrayLike
    values: ArrayLike
    domain: str | None = None

    def __post_init__(self) -> None:
        knots, values = np.array(self.knots, np.float64), np.array(self.values, np.float64)
        if self.phase not in PHASES:
            raise ValueError(f"phase = {self.phase!r} is not one of {', '.join(PHASES)}")
        if self.axis not in AXES:
            raise ValueError(f"axis = {self.axis!r} is not one of {', '.join(AXES)}")
        if knots.ndim != 1 or not len(knots) or values.shape[:1] != knots.shape:
            raise ValueError(
                f"knots have shape {knots.shape} and values {values.shape}; give [knots] and "
                "[knots, directions]"
            )
        if not (knots >= 1).all() or (np.diff(knots) <= 0).any():
            raise ValueError(f"knots = {knots.tolist()} do not rise from 1 on; sort them")
        if values.ndim != 2 or not np.isfinite(values).all():
            raise ValueError(f"values have shape {values.shape}; give finite [knots, directions]")
        object.__setattr__(self, "knots", knots)
        object.__setattr__(self, "values", values)

    def __call__(self, condition: Condition) -> NDArray[np.float64]:
        """Return [directions] coefficients of a condition.

        Raises
        ------
        ValueError
            If the condition lacks the length and there is more than one knot.
        """
        knots = np.asarray(self.knots)
        tokens = getattr(condition, self.axis)
        if tokens is None and len(knots) == 1:
            return self.at(1)
        if tokens is None:
            raise ValueError(
                f"condition {condition.name} has no {self.axis}, and {self.phase} loads depend on "
                f"it; give a length, such as {knots[0]:.0f}"
            )
        return self.at(tokens)

    def at(self, tokens: float) -> NDArray[np.float64]:
        """Return [directions] coefficients of a length, at least 1."""
        place, values = np.log2(np.asarray(self.knots)), np.asarray(self.values)
        if len(place) == 1:
            return values[0].copy()
        return _interpolated(place, values, _slopes(place, values), float(np.log2(tokens)))


def _slopes(place: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [knots, directions] slopes: harmonic means of the two secants, 0 at an extremum."""
    gap = np.diff(place)[:, None]
    secant = np.diff(values, axis=0) / gap
    slopes = np.empty_like(values)
    slopes[0], slopes[-1] = secant[0], secant[-1]
    before, after = secant[:-1], secant[1:]
    same = before * after > 0
    # weights of the longer gap, as in Brodlie's formula
    weight = (gap[:-1] + 2 * gap[1:]) / (3 * (gap[:-1] + gap[1:]))
    mixed = weight * after + (1 - weight) * before
    slopes[1:-1] = np.where(same, before * after / np.where(same, mixed, 1.0), 0.0)
    return slopes


def _interpolated(
    place: NDArray[np.float64],
    values: NDArray[np.float64],
    slopes: NDArray[np.float64],
    at: float,
) -> NDArray[np.float64]:
    """Return the cubic Hermite interpolant, extended by slopes that fade."""
    # Beyond the knots: the slope at the last one, fading by e with every doubling.
    if at <= place[0]:
        return np.asarray(values[0] - slopes[0] * -np.expm1(at - place[0]))
    if at >= place[-1]:
        return np.asarray(values[-1] + slopes[-1] * -np.expm1(place[-1] - at))
    left = int(np.searchsorted(place, at, side="right")) - 1
    gap = place[left + 1] - place[left]
    t = (at - place[left]) / gap
    # Cubic Hermite polynomials.
    inside: NDArray[np.float64] = (
        (1 + 2 * t) * (1 - t) ** 2 * values[left]
        + t * (1 - t) ** 2 * gap * slopes[left]
        + t**2 * (3 - 2 * t) * values[left + 1]
        + t**2 * (t - 1) * gap * slopes[left + 1]
    )
    return inside
