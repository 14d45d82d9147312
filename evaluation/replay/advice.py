"""The problem that a solver gets in a replay: load, sizes and advice."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay import prices
from evaluation.replay.deployment import ExpertDeployment
from evaluation.step.executor import StepExecutor
from lb.solve import forecasts, honours


def problem_of(deployment: ExpertDeployment, load: NDArray[np.int64], **advice: Any) -> lb.Problem:
    """Return the problem of a deployment under [windows, layers, experts] tokens."""
    return lb.Problem(
        load,
        deployment.num_ranks,
        deployment.slots_per_rank,
        ranks_per_node=deployment.ranks_per_node,
        expert_groups=deployment.expert_groups,
        dispatcher=deployment.dispatcher,
        **advice,
    )


def advice_for(
    solver: lb.Solver,
    deployment: ExpertDeployment,
    history: NDArray[np.int64],
    last_steps: int,
    executor: StepExecutor,
    token_price: float | None = None,
) -> dict[str, Any]:
    """Return what a solver learns besides load and loaded placement, as fields of its problem.

    Parameters
    ----------
    solver
        A solver that forecasts gets no forecast. A solver that honours ``max_moves`` gets it.
    deployment
        Where the experts run.
    history
        [windows, layers, experts] tokens that the solver sees, oldest window first.
    last_steps
        Steps of the last window.
    executor
        Prices the steps.
    token_price
        Seconds of one more token on every rank in a step of the last window
        (:func:`evaluation.replay.prices.seconds_per_token`); computed where it is not given.
    """
    advice: dict[str, Any] = {
        "move_price": prices.move_price(
            executor,
            history[-1] / last_steps,
            deployment.num_ranks,
            deployment.migration_bytes_per_s,
            deployment.objective,
            token_price,
        )
    }
    if deployment.objective == "seconds":
        advice["expert_cost"] = prices.expert_cost(
            executor.operators, last_steps, float(history.max())
        )
    if not forecasts(solver):
        forecaster = lb.make_forecaster(deployment.forecaster)
        advice["forecast"] = forecaster(history.astype(np.float64))
    if "max_moves" in honours(solver):
        advice["max_moves"] = deployment.max_moves
    return advice
