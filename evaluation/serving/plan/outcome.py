"""Outcomes of deployments in a plan, the nearest to the SLO and the Pareto frontier of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from evaluation.serving.plan.screening import Bound
from evaluation.serving.plan.simulation import GoodputScores
from evaluation.serving.scenario.deployment import ServingDeployment
from evaluation.serving.scenario.scenario import ServingScenario

#: Verdicts, in the order in which they are listed. Their text is written to files.
SIMULATED, CANNOT_WIN, CANNOT_HOLD, IMPOSSIBLE = VERDICTS = (
    "played",
    "cannot win",
    "cannot hold",
    "impossible",
)


@dataclass(frozen=True)
class DeploymentOutcome:
    """The outcome of a deployment in a plan.

    Parameters
    ----------
    deployment
        The deployment.
    chips
        Chips that it takes.
    verdict
        One of :data:`VERDICTS`.
    scores
        Of :func:`evaluation.serving.results.scores.scores`; empty unless it was simulated.
    reason
        Why it was not simulated, or why screening would not have; else empty.
    bound
        The most that it can reach; ``None`` if it was not screened or is impossible.
    """

    deployment: ServingDeployment
    chips: float
    verdict: str
    scores: GoodputScores = field(default_factory=dict)
    reason: str = ""
    bound: Bound | None = None

    @property
    def goodput(self) -> float:
        """Output tokens per second and chip; 0 unless it was simulated."""
        return self.scores.get("goodput") or 0.0

    @property
    def share(self) -> float:
        """Share of the scored requests that kept the SLO; 0 unless it was simulated."""
        return self.scores.get("share") or 0.0

    def holds(self, share: float) -> bool:
        """Return whether it was simulated and at least ``share`` of the requests kept the SLO."""
        return self.goodput > 0 and self.share >= share


def latency_excess(scores: GoodputScores, scenario: ServingScenario) -> float:
    """Return the larger ratio of TTFT and TPOT at p99 to the SLO; infinity if TTFT is unknown.

    A TPOT that no request has, because all answers have one token, counts as 0.
    """
    ttft, tpot = scores["ttft_p99_s"], scores["tpot_p99_s"]
    if ttft is None:
        return math.inf
    return max(ttft / scenario.ttft_s, (tpot or 0.0) / scenario.tpot_s)


def nearest(
    outcomes: Sequence[DeploymentOutcome], scenario: ServingScenario
) -> DeploymentOutcome | None:
    """Return the outcome with most requests that keep the SLO, of equals with the least excess."""
    return min(
        (outcome for outcome in outcomes if outcome.scores),
        key=lambda outcome: (
            -outcome.share,
            latency_excess(outcome.scores, scenario),
            outcome.deployment,
        ),
        default=None,
    )


def frontier(outcomes: Sequence[DeploymentOutcome]) -> set[int]:
    """Return the numbers of the outcomes on the Pareto frontier.

    No other outcome is as good in goodput per chip and in TTFT and TPOT at p99. An unknown latency
    counts as infinite. Of equal outcomes only the first is on the frontier.
    """
    points = {
        number: (
            -outcome.goodput,
            *(_or_infinity(outcome.scores[name]) for name in ("ttft_p99_s", "tpot_p99_s")),
        )
        for number, outcome in enumerate(outcomes)
        if outcome.goodput > 0
    }
    return {
        number
        for number, point in points.items()
        if not any(
            all(a <= b for a, b in zip(other, point, strict=True))
            and (other != point or at < number)
            for at, other in points.items()
            if at != number
        )
    }


def _or_infinity(value: float | None) -> float:
    return math.inf if value is None else value
