"""How a law of loads that was fitted to several recordings meets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from traces.generators.loads import LoadDistance, LoadLaw, distance


@dataclass(frozen=True)
class FittedCondition:
    """One recording beside the law.

    Parameters
    ----------
    name
        Of the condition.
    tokens
        Of the recording, in each layer.
    deviation
        Standard deviation of the log load over the experts of a layer, mean over layers.
    hottest
        Load of the hottest expert over the mean, mean over layers.
    missed
        Total variation between the recording and the law.
    coefficients
        [directions] of the law.
    """

    name: str
    tokens: int
    deviation: float
    hottest: float
    missed: float
    coefficients: tuple[float, ...]


@dataclass(frozen=True)
class ConditionPair:
    """What a placement for one condition is worth in another.

    Parameters
    ----------
    plan, serve
        Names of the two conditions.
    distance
        Between their recorded loads.
    recorded
        Balancedness on the recorded load of ``serve`` of the placement that was made from the
        recorded load of ``plan``, shares even, mean over layers.
    by_law
        The same with the loads of the law, each with a residual of its own.
    """

    plan: str
    serve: str
    distance: LoadDistance
    recorded: float
    by_law: float


@dataclass(frozen=True)
class ConditionFit:
    """A law of loads beside the recordings that it was fitted to.

    Parameters
    ----------
    conditions
        In the order of the recordings.
    pairs
        All ordered pairs of two conditions.
    own
        Name to the balancedness of a placement on the recording that it was made from.
    num_ranks, slots_per_rank, solver
        Deployment and solver of all placements.
    """

    conditions: tuple[FittedCondition, ...]
    pairs: tuple[ConditionPair, ...]
    own: dict[str, float]
    num_ranks: int
    slots_per_rank: int
    solver: str


def condition_fit(
    recorded: Mapping[str, NDArray[np.int64]],
    law: LoadLaw,
    num_ranks: int,
    slots_per_rank: int,
    solver: str = "eplb",
) -> ConditionFit:
    """Compare recordings with each other and with the law that was fitted to them.

    Parameters
    ----------
    recorded
        Name to [layers, experts] counts. The law knows every name.
    law
        The fitted law.
    num_ranks, slots_per_rank, solver
        What placements are made for, and by which registered solver.

    Raises
    ------
    ValueError
        If the experts do not fit into the slots, or the solver is unknown or cannot place them.
    """
    fitted = {name: law.share(name) for name in recorded}
    served = _served(recorded, num_ranks, slots_per_rank, solver)
    # Each recording is one sample of requests, whose residual is not in the law's own share.
    samples = {name: law.share(name, sample) for sample, name in enumerate(recorded, start=1)}
    by_law = _served(samples, num_ranks, slots_per_rank, solver)
    pairs = tuple(
        ConditionPair(
            plan,
            serve,
            distance(recorded[plan], recorded[serve]),
            served[plan, serve],
            by_law[plan, serve],
        )
        for plan, serve in permutations(recorded, 2)
    )
    conditions = tuple(_fitted(name, load, fitted[name], law) for name, load in recorded.items())
    own = {name: served[name, name] for name in recorded}
    return ConditionFit(conditions, pairs, own, num_ranks, slots_per_rank, solver)


def _fitted(
    name: str, load: NDArray[np.int64], share: NDArray[np.float64], law: LoadLaw
) -> FittedCondition:
    log = np.log(np.maximum(load, 0.5))
    return FittedCondition(
        name,
        round(float(load.sum(axis=1).mean()) / law.top_k),
        float(log.std(axis=1).mean()),
        float((load.max(axis=1) / load.mean(axis=1)).mean()),
        distance(load, share).total_variation,
        tuple(law.coefficients(name).tolist()),
    )


def _served(
    loads: Mapping[str, NDArray[Any]], num_ranks: int, slots_per_rank: int, solver: str
) -> dict[tuple[str, str], float]:
    """Return the balancedness of the placement for one load on another, for all pairs."""
    found = {}
    for plan, planned in loads.items():
        placement = lb.solve(lb.Problem(planned, num_ranks, slots_per_rank), solver)
        for serve, load in loads.items():
            found[plan, serve] = float(placement.balancedness(load).mean())
    return found
