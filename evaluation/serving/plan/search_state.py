"""A search for deployments under way: outcomes so far, and deployments left out by them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from evaluation.serving.plan.outcome import (
    CANNOT_HOLD,
    CANNOT_WIN,
    IMPOSSIBLE,
    SIMULATED,
    DeploymentOutcome,
)
from evaluation.serving.plan.screening import Screening
from evaluation.serving.plan.search_settings import SearchSettings
from evaluation.serving.plan.simulation import DeploymentSimulation, PrefillSimulation
from evaluation.serving.plan.span import ArrivalSpan
from evaluation.serving.scenario.deployment import ServingDeployment

#: Simulations between two looks at the bounds. It does not depend on the number of processes, so
#: that these change nothing but the time.
ROUND_SIZE = 8
#: Called with what is done, how far, and of how many.
OnProgress = Callable[[str, int, int], None]
#: Runs simulations and returns their answers in order; see
#: :func:`evaluation.serving.plan.simulation.worker_pool`.
Run = Callable[..., list[Any]]


class SearchState:
    """The outcomes of a search so far.

    Parameters
    ----------
    settings
        Settings of the search.
    span
        Requests that every deployment is simulated with.
    run
        Runs simulations.
    on_progress
        Called before the first and after every simulation.

    Attributes
    ----------
    outcomes
        Of deployments that are simulated or left out.
    prefill_share
        By number of prefill executors, the share of requests that keep their TTFT without decode.
    """

    def __init__(
        self, settings: SearchSettings, span: ArrivalSpan, run: Run, on_progress: OnProgress
    ) -> None:
        self.settings, self.span, self.run, self.on_progress = settings, span, run, on_progress
        self.outcomes: list[DeploymentOutcome] = []
        self.prefill_share: dict[int, float] = {}

    def unscreened(self, deployments: Sequence[ServingDeployment]) -> list[DeploymentOutcome]:
        """Return candidates of which nothing is known."""
        scenario = self.span.scenario
        return [
            DeploymentOutcome(deployment, deployment.chips(scenario), SIMULATED)
            for deployment in deployments
        ]

    def screened(self, deployments: Sequence[ServingDeployment]) -> list[DeploymentOutcome]:
        """Return the candidates that may hold; the others are left out."""
        screening = Screening(self.span, self.settings.seed, self.settings.margin)
        candidates: list[DeploymentOutcome] = []
        for number, candidate in enumerate(self.unscreened(deployments)):
            self.on_progress("screening deployments", number, len(deployments))
            try:
                bound = screening(candidate.deployment)
            except ValueError as error:
                self._leave_out(candidate, IMPOSSIBLE, str(error))
                continue
            bounded = replace(candidate, bound=bound)
            if bound.share < self.settings.share:
                reason = f"{bound.why}: {self._shortfall(bound.share)}"
                self._leave_out(bounded, CANNOT_HOLD, reason)
            else:
                candidates.append(bounded)
        return self._without_slow_prefill(candidates)

    def _without_slow_prefill(self, candidates: list[DeploymentOutcome]) -> list[DeploymentOutcome]:
        """Simulate every number of prefill executors without decode; keep what may hold."""
        # The simulation has no decode, so that the first deployment represents all with its number.
        first = {outcome.deployment.prefill: outcome.deployment for outcome in reversed(candidates)}
        counts = sorted(first)
        simulations = [
            PrefillSimulation(first[count].serve(self.span.scenario), self.settings.seed)
            for count in counts
        ]
        answers = self._run("simulating prefill alone", simulations)
        by_count = dict(zip(counts, answers, strict=True))
        self.prefill_share = {count: share for count, (share, _) in by_count.items()}
        kept = []
        for candidate in candidates:
            share, tokens = by_count[candidate.deployment.prefill]
            bounded = self._bounded_by_prefill(candidate, share, tokens)
            if share < self.settings.share:
                reason = f"prefill, played without decode: {self._shortfall(share)}"
                self._leave_out(bounded, CANNOT_HOLD, reason)
            else:
                kept.append(bounded)
        return kept

    def _bounded_by_prefill(
        self, candidate: DeploymentOutcome, share: float, tokens: float
    ) -> DeploymentOutcome:
        """Lower a bound to the share and the output tokens that its prefill alone allows."""
        bound, span_s = candidate.bound, self.span.span_s
        assert bound is not None
        goodput = tokens / span_s / candidate.chips if span_s else float("inf")
        lower = replace(bound, goodput=min(bound.goodput, goodput), share=min(bound.share, share))
        return replace(candidate, bound=lower)

    def simulate(self, candidates: list[DeploymentOutcome]) -> None:
        """Simulate candidates, the highest bound first, as long as one of them may win."""
        candidates = sorted(
            candidates,
            key=lambda outcome: (-_most_goodput(outcome), outcome.chips, outcome.deployment),
        )
        total, simulated = len(candidates), 0
        while candidates:
            round_candidates, candidates = candidates[:ROUND_SIZE], candidates[ROUND_SIZE:]
            self._simulate(round_candidates, self.span.until_s, simulated, total)
            simulated += len(round_candidates)
            if self.settings.screening:
                candidates = self._without_beaten(self._without_slow_decode(candidates))
                total = simulated + len(candidates)

    def simulate_nearest(self) -> None:
        """Simulate deployments that may keep the SLO more often than the simulated ones.

        The largest possible share comes first.

        If none was simulated, simulate longer, so that latencies far beyond the SLO are known.
        """
        reached = max((outcome.share for outcome in self.outcomes if outcome.scores), default=-1.0)
        possible = [
            outcome
            for outcome in self.outcomes
            if not outcome.scores and outcome.bound is not None and _most_share(outcome) > reached
        ]
        possible.sort(
            key=lambda outcome: (-_most_share(outcome), -outcome.chips, outcome.deployment)
        )
        nearest = possible[:ROUND_SIZE]
        self.outcomes = [outcome for outcome in self.outcomes if outcome not in nearest]
        patience_s = 0.0 if reached >= 0 else 2 * float(self.span.trace.arrival_s[-1])
        self._simulate(nearest, self.span.until_s + patience_s, 0, len(nearest))

    def _simulate(
        self, candidates: list[DeploymentOutcome], until_s: float, done: int, total: int
    ) -> None:
        possible, simulations = [], []
        for candidate in candidates:
            try:
                scenario = candidate.deployment.serve(self.span.scenario)
            except ValueError as error:  # where nothing was screened
                self._leave_out(candidate, IMPOSSIBLE, str(error))
                continue
            possible.append(candidate)
            simulations.append(DeploymentSimulation(scenario, until_s, self.settings.seed))
        answers = self._run("simulating deployments", simulations, done, total)
        for candidate, answer in zip(possible, answers, strict=True):
            if isinstance(answer, str):
                self._leave_out(candidate, IMPOSSIBLE, answer)
            else:
                self.outcomes.append(replace(candidate, verdict=SIMULATED, scores=answer))

    def _without_beaten(self, candidates: list[DeploymentOutcome]) -> list[DeploymentOutcome]:
        """Leave out candidates whose bound is below the goodput that another has reached."""
        holding = [outcome for outcome in self.outcomes if outcome.holds(self.settings.share)]
        if not holding:
            return candidates
        best = max(outcome.goodput for outcome in holding)
        kept = []
        for candidate in candidates:
            most = _most_goodput(candidate)
            if most * (1 + self.settings.margin) < best:
                reason = f"at most {most:.1f} tokens/s per chip; {best:.1f} reached"
                self._leave_out(candidate, CANNOT_WIN, reason)
            else:
                kept.append(candidate)
        return kept

    def _without_slow_decode(self, candidates: list[DeploymentOutcome]) -> list[DeploymentOutcome]:
        """Leave out candidates whose decode failed already, behind fewer prefill executors.

        More prefill hands requests to decode no later: an assumption of ours.
        """
        failed = self._failed_decodes()
        kept = []
        for candidate in candidates:
            same = failed.get(replace(candidate.deployment, prefill=0))
            if same is None or same.deployment.prefill >= candidate.deployment.prefill:
                kept.append(candidate)
                continue
            fewer = same.deployment.prefill
            assert candidate.bound is not None
            share = min(candidate.bound.share, self._share_by_decode(same))
            bounded = replace(candidate, bound=replace(candidate.bound, share=share))
            reason = f"decode behind {fewer} prefill, played: {self._shortfall(same.share)}"
            self._leave_out(bounded, CANNOT_HOLD, reason)
        return kept

    def _failed_decodes(self) -> dict[ServingDeployment, DeploymentOutcome]:
        """Return outcomes whose decode alone misses the SLO, by deployment without its prefill.

        Of several numbers of prefill executors, the smallest counts.
        """
        enough = self.settings.share / (1 + self.settings.margin)
        failed: dict[ServingDeployment, DeploymentOutcome] = {}
        for outcome in self.outcomes:
            if outcome.scores and self._share_by_decode(outcome) < enough:
                key = replace(outcome.deployment, prefill=0)
                if key not in failed or outcome.deployment.prefill < failed[key].deployment.prefill:
                    failed[key] = outcome
        return failed

    def _share_by_decode(self, outcome: DeploymentOutcome) -> float:
        """Return the share that would keep the SLO if prefill alone kept every TTFT."""
        return outcome.share + 1 - self.prefill_share[outcome.deployment.prefill]

    def _run(
        self, what: str, simulations: Sequence[Callable[[], Any]], done: int = 0, total: int = 0
    ) -> list[Any]:
        total = total or len(simulations)

        def count() -> None:
            nonlocal done
            done += 1
            self.on_progress(what, done, total)

        self.on_progress(what, done, total)
        return self.run(simulations, count)

    def _leave_out(self, candidate: DeploymentOutcome, verdict: str, reason: str) -> None:
        self.outcomes.append(replace(candidate, verdict=verdict, reason=reason))

    def _shortfall(self, share: float) -> str:
        return f"{share:.1%} of requests < {self.settings.share:.0%}"


def _most_goodput(outcome: DeploymentOutcome) -> float:
    return float("inf") if outcome.bound is None else outcome.bound.goodput


def _most_share(outcome: DeploymentOutcome) -> float:
    return 1.0 if outcome.bound is None else outcome.bound.share
