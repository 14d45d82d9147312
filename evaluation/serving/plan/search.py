"""Search deployments of a scenario for the highest goodput per chip under its SLO.

The search is a screened grid. A solver such as OR-Tools needs goodput as a formula of the
deployment, but goodput is the outcome of a simulation. What can be written as a formula, the bound
of :class:`evaluation.serving.plan.screening.Screening`, is evaluated on the whole grid in seconds.
So the search simulates the highest bound first, and leaves out every deployment whose bound is
below the goodput that another has reached.
"""

from collections.abc import Sequence
from typing import Any

from evaluation.serving.plan.outcome import VERDICTS, DeploymentOutcome
from evaluation.serving.plan.search_settings import SearchSettings
from evaluation.serving.plan.search_state import OnProgress, SearchState
from evaluation.serving.plan.simulation import worker_pool
from evaluation.serving.plan.span import ArrivalSpan
from evaluation.serving.scenario.deployment import ServingDeployment


def search_deployments(
    span: ArrivalSpan,
    deployments: Sequence[ServingDeployment],
    settings: SearchSettings,
    on_progress: OnProgress = lambda what, done, total: None,
) -> list[DeploymentOutcome]:
    """Return the outcome of every deployment.

    Deployments that hold come first, the best in front. Others that were simulated follow, by the
    share of requests that kept the SLO. Those that were not simulated come last, with the reason.
    If none holds, the most promising of those that screening left out are simulated too, so that
    the nearest is known.

    Parameters
    ----------
    span
        Requests that every deployment is simulated with.
    deployments
        The grid.
    settings
        When a deployment holds, and how simulations are saved.
    on_progress
        Called with what is done, how far, and of how many.
    """
    with worker_pool(settings.jobs) as run:
        state = SearchState(settings, span, run, on_progress)
        if settings.screening:
            state.simulate(state.screened(deployments))
        else:
            state.simulate(state.unscreened(deployments))
        if not any(outcome.holds(settings.share) for outcome in state.outcomes):
            state.simulate_nearest()
    return sorted(state.outcomes, key=lambda outcome: _order(outcome, settings.share))


def _order(outcome: DeploymentOutcome, share: float) -> tuple[Any, ...]:
    holds = outcome.holds(share)
    merit = outcome.goodput if holds else outcome.share
    verdict = VERDICTS.index(outcome.verdict)
    return verdict, not holds, -merit, outcome.chips, outcome.deployment
