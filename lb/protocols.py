"""Protocols of solvers, dispatchers and forecasters: plain callables, without inheritance."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lb.placement import Placement
from lb.problem import Problem


class Solver(Protocol):
    """The slow path, asked every few hundred steps: a problem in, a placement out.

    A solver may carry three attributes. ``forecasts`` is true of one that makes its own guess of
    the next window from all windows of the problem; a replay gives the others a forecast, by
    default the last window. ``honours`` is the set of optional :class:`Problem` fields that it
    respects, of those in :data:`lb.problem.BINDING_FIELDS`; ``known_failures`` maps the
    name of a conformance check that it cannot pass to the reason.
    """

    def __call__(self, problem: Problem, /) -> Placement:
        """Return a placement that answers ``problem``."""
        ...


class Dispatcher(Protocol):
    """The fast path, asked every step: placement and [layers, experts] load to shares.

    The answer [layers, slots] is the share of its expert's tokens that each slot takes; the
    shares of one expert's replicas add up to 1. A dispatcher that tells tokens apart by the rank
    they start on answers [layers, ranks, slots] instead: shares of each source rank's tokens, which
    add up to 1 for every source. :func:`lb.dispatch.slot_share` brings both to one form.

    A dispatcher may carry an attribute ``promises``, names of what it keeps beyond valid shares:
    "scale-invariant" (other units of load, same shares) and "never-hotter-than-even".
    """

    def __call__(self, placement: Placement, load: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return the share of each slot."""
        ...


class Forecaster(Protocol):
    """Past windows [windows, layers, experts], oldest first, to the load of the next one."""

    def __call__(self, load: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return [layers, experts] tokens to plan for, finite and non-negative."""
        ...
