"""Search deployments of a scenario for the highest goodput per chip under its SLO.

A screened grid. A solver such as OR-Tools needs goodput as a formula of the deployment, and it is
the outcome of a simulation; what there is of a formula, the bound of
:class:`evaluation.serving.plan.screening.Screening`, is evaluated on the whole grid in seconds. So
the search plays the highest bound first, and nothing whose bound is below what another has reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.serving.plan.outcome import VERDICTS, Candidate
from evaluation.serving.plan.screening import Screening
from evaluation.serving.plan.simulation import Play, PrefillPlay, players
from evaluation.serving.plan.span import Span
from evaluation.serving.scenario.deployment import Deployment

#: Played before bounds are looked at again, whatever the number of processes, so that these change
#: nothing but the time.
WAVE = 8
#: Of the requests that have to keep the SLO: the attainment of DistServe's experiments
#: (arXiv:2401.09670).
SHARE = 0.9
#: Told what is done, how far and of how many.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Search:
    """Finds the deployment with the highest goodput per chip among those that hold.

    Parameters
    ----------
    share
        A deployment holds if at least this share of the scored requests keeps the SLO.
    margin
        Rates of the screening are taken so much higher, and what is below the best by no more is
        played too.
    screening
        Whether to screen; else every deployment is played.
    seed
        Of everything that is drawn.
    jobs
        Processes; the answer does not depend on them.
    """

    share: float = SHARE
    margin: float = 0.1
    screening: bool = True
    seed: int = 0
    jobs: int = 1

    def __call__(
        self,
        span: Span,
        deployments: Sequence[Deployment],
        on_progress: OnProgress = lambda what, done, total: None,
    ) -> list[Candidate]:
        """Return what came of every deployment.

        First those that hold, the best in front; then others played, by the share that kept the
        SLO; then those not played, with the reason. Where none holds, some that screening left out
        are played all the same, so that the nearest is known.

        Raises
        ------
        ValueError
            Unless 0 <= share <= 1, 0 <= margin < infinity and jobs >= 1.
        """
        if not 0 <= self.share <= 1:
            raise ValueError(f"--share {self.share:g} breaks 0 <= share <= 1; give a part of all")
        if not 0 <= self.margin < float("inf"):
            raise ValueError(f"--margin {self.margin:g} breaks 0 <= margin < infinity")
        with players(self.jobs) as run:
            search = _Searching(self, span, run, on_progress)
            waiting = search.screened(deployments) if self.screening else search.all(deployments)
            search.play(waiting)
            if not any(one.holds(self.share) for one in search.done):
                search.play_nearest()
        return sorted(search.done, key=self._order)

    def _order(self, one: Candidate) -> tuple[Any, ...]:
        holds = one.holds(self.share)
        merit = one.goodput if holds else one.share
        return VERDICTS.index(one.verdict), not holds, -merit, one.chips, one.deployment


class _Searching:
    """One search under way: what is done, and what was learnt from it."""

    def __init__(
        self, search: Search, span: Span, run: Callable[..., list[Any]], told: OnProgress
    ) -> None:
        self.search, self.span, self.run, self.told = search, span, run, told
        self.done: list[Candidate] = []
        self.alone: dict[int, float] = {}

    def all(self, deployments: Sequence[Deployment]) -> list[Candidate]:
        """Return candidates of which nothing is known."""
        scenario = self.span.scenario
        return [Candidate(one, one.chips(scenario), "played") for one in deployments]

    def screened(self, deployments: Sequence[Deployment]) -> list[Candidate]:
        """Return the candidates that may hold; the others are done."""
        screening = Screening(self.span, self.search.seed, self.search.margin)
        open_: list[Candidate] = []
        for number, one in enumerate(self.all(deployments)):
            self.told("screening deployments", number, len(deployments))
            try:
                bound = screening(one.deployment)
            except ValueError as error:
                self.done.append(replace(one, verdict="impossible", reason=str(error)))
                continue
            known = replace(one, bound=bound)
            if bound.share < self.search.share:
                self._discard(known, "cannot hold", f"{bound.why}: {self._short(bound.share)}")
            else:
                open_.append(known)
        return self._with_prefill_alone(open_)

    def _with_prefill_alone(self, open_: list[Candidate]) -> list[Candidate]:
        """Play every number of prefill executors without decode; return those that may hold."""
        first = {one.deployment.prefill: one for one in reversed(open_)}
        counts = sorted(first)
        seed, scenario = self.search.seed, self.span.scenario
        plays = [PrefillPlay(first[n].deployment.serve(scenario), seed) for n in counts]
        found = dict(zip(counts, self._run("playing prefill alone", plays), strict=True))
        self.alone = {count: share for count, (share, _) in found.items()}
        able = []
        for one in open_:
            share, tokens = found[one.deployment.prefill]
            assert one.bound is not None
            reached = tokens / self.span.span_s / one.chips if self.span.span_s else float("inf")
            least = {
                "goodput": min(one.bound.goodput, reached),
                "share": min(one.bound.share, share),
            }
            one = replace(one, bound=replace(one.bound, **least))
            if share < self.search.share:
                why = f"prefill, played without decode: {self._short(share)}"
                self._discard(one, "cannot hold", why)
            else:
                able.append(one)
        return able

    def play(self, waiting: list[Candidate]) -> None:
        """Play candidates, the highest bound first, as long as one may win."""
        waiting.sort(key=lambda one: (-_goodput(one), one.chips, one.deployment))
        total, played = len(waiting), 0
        while waiting:
            wave, waiting = waiting[:WAVE], waiting[WAVE:]
            self._play(wave, self.span.until_s, played, total)
            played += len(wave)
            if self.search.screening:
                waiting = self._without_beaten(self._without_hopeless(waiting))
                total = played + len(waiting)

    def play_nearest(self) -> None:
        """Play what may keep the SLO more often than any that was played, of equals the largest.

        Where none was played, to their end, so that latencies far beyond the SLO are known.
        """
        reached = max((one.share for one in self.done if one.scores), default=-1.0)
        able = [one for one in self.done if not one.scores and one.bound is not None]
        able = [one for one in able if _share(one) > reached]
        able.sort(key=lambda one: (-_share(one), -one.chips, one.deployment))
        chosen = able[:WAVE]
        self.done = [one for one in self.done if one not in chosen]
        patience_s = 0.0 if reached >= 0 else 2 * float(self.span.trace.arrival_s[-1])
        self._play(chosen, self.span.until_s + patience_s, 0, len(chosen))

    def _play(self, wave: list[Candidate], until_s: float, before: int, total: int) -> None:
        span, seed = self.span, self.search.seed
        able, plays = [], []
        for one in wave:
            try:
                served = one.deployment.serve(span.scenario)
            except ValueError as error:  # where nothing was screened
                self.done.append(replace(one, verdict="impossible", reason=str(error)))
                continue
            able.append(one)
            plays.append(Play(served, until_s, seed))
        answers = self._run("playing deployments", plays, before, total)
        for one, answer in zip(able, answers, strict=True):
            if isinstance(answer, str):
                self.done.append(replace(one, verdict="impossible", reason=answer))
            else:
                self.done.append(replace(one, verdict="played", scores=answer))

    def _without_beaten(self, waiting: list[Candidate]) -> list[Candidate]:
        """Discard those whose bound is below what another has reached."""
        held = [one for one in self.done if one.holds(self.search.share)]
        if not held:
            return waiting
        best = max(held, key=lambda one: one.goodput)
        able = []
        for one in waiting:
            if _goodput(one) * (1 + self.search.margin) < best.goodput:
                why = f"at most {_goodput(one):.1f} tokens/s per chip; {best.goodput:.1f} reached"
                self._discard(one, "cannot win", why)
            else:
                able.append(one)
        return able

    def _without_hopeless(self, waiting: list[Candidate]) -> list[Candidate]:
        """Discard those whose decode failed already, behind fewer prefill executors.

        It failed if the SLO were not held even with every TTFT kept that prefill alone does not
        keep, by the margin. More prefill hands requests to decode no later: our assumption.
        """
        enough = self.search.share / (1 + self.search.margin)
        failed: dict[Deployment, Candidate] = {}
        for one in self.done:
            prefill = one.deployment.prefill
            if one.scores and one.share + 1 - self.alone[prefill] < enough:
                key = replace(one.deployment, prefill=0)
                if key not in failed or prefill < failed[key].deployment.prefill:
                    failed[key] = one
        able = []
        for one in waiting:
            same = failed.get(replace(one.deployment, prefill=0))
            if same is not None and same.deployment.prefill < one.deployment.prefill:
                why = (
                    f"decode behind {same.deployment.prefill} prefill, played: "
                    f"{self._short(same.share)}"
                )
                assert one.bound is not None
                reached = same.share + 1 - self.alone[same.deployment.prefill]
                bound = replace(one.bound, share=min(one.bound.share, reached))
                self._discard(replace(one, bound=bound), "cannot hold", why)
            else:
                able.append(one)
        return able

    def _run(
        self, what: str, plays: Sequence[Callable[[], Any]], before: int = 0, total: int = 0
    ) -> list[Any]:
        count = before

        def done() -> None:
            nonlocal count
            count += 1
            self.told(what, count, total or len(plays))

        self.told(what, before, total or len(plays))
        return self.run(plays, done)

    def _discard(self, one: Candidate, verdict: str, reason: str) -> None:
        self.done.append(replace(one, verdict=verdict, reason=reason))

    def _short(self, share: float) -> str:
        return f"{share:.1%} of requests < {self.search.share:.0%}"


def _goodput(one: Candidate) -> float:
    return float("inf") if one.bound is None else one.bound.goodput


def _share(one: Candidate) -> float:
    return 1.0 if one.bound is None else one.bound.share
