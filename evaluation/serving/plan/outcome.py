"""What came of a deployment in a plan, and which of several are best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from evaluation.serving.plan.screening import Bound
from evaluation.serving.plan.simulation import Scores
from evaluation.serving.scenario.deployment import Deployment
from evaluation.serving.scenario.scenario import ServingScenario

#: In the order in which they are listed.
VERDICTS = ("played", "cannot win", "cannot hold", "impossible")


@dataclass(frozen=True)
class Candidate:
    """A deployment and what came of it.

    Parameters
    ----------
    deployment
        The deployment.
    chips
        It takes.
    verdict
        One of :data:`VERDICTS`.
    scores
        Of :func:`evaluation.serving.results.goodput.scores`; empty unless it was played.
    reason
        Why it was not played, or why screening would not have; else empty.
    bound
        The most it can reach; ``None`` where it was not screened or cannot be.
    """

    deployment: Deployment
    chips: float
    verdict: str
    scores: Scores = field(default_factory=dict)
    reason: str = ""
    bound: Bound | None = None

    @property
    def goodput(self) -> float:
        """Output tokens a second and chip; 0 unless it was played."""
        return self.scores.get("goodput") or 0.0

    @property
    def share(self) -> float:
        """Of the scored requests that kept the SLO; 0 unless it was played."""
        return self.scores.get("share") or 0.0

    def holds(self, share: float) -> bool:
        """Return whether it was played and at least ``share`` of the requests kept the SLO."""
        return self.goodput > 0 and self.share >= share


def latency_excess(scores: Scores, scenario: ServingScenario) -> float:
    """Return how often the worse of TTFT and TPOT at p99 exceeds its promise; infinity if unknown.

    TPOT that no request has, all answers being of one token, exceeds nothing.
    """
    ttft, tpot = scores["ttft_p99_s"], scores["tpot_p99_s"]
    if ttft is None:
        return math.inf
    return max(ttft / scenario.ttft_s, (tpot or 0.0) / scenario.tpot_s)


def nearest(found: Sequence[Candidate], scenario: ServingScenario) -> Candidate | None:
    """Return the one played with the most requests that keep the SLO, then the least excess."""
    played = [one for one in found if one.scores]
    return min(
        played,
        key=lambda one: (-one.share, latency_excess(one.scores, scenario), one.deployment),
        default=None,
    )


def frontier(found: Sequence[Candidate]) -> set[int]:
    """Return which candidates no other beats in goodput per chip, TTFT and TPOT at p99 at once.

    A latency that is not known counts as infinite. Of equals the first alone is on it.
    """
    points = {
        number: (
            -one.goodput,
            *(_or_infinity(one.scores[name]) for name in ("ttft_p99_s", "tpot_p99_s")),
        )
        for number, one in enumerate(found)
        if one.goodput > 0
    }
    return {
        number
        for number, mine in points.items()
        if not any(
            all(a <= b for a, b in zip(other, mine, strict=True)) and (other != mine or at < number)
            for at, other in points.items()
            if at != number
        )
    }


def _or_infinity(value: float | None) -> float:
    return math.inf if value is None else value
