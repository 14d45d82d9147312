"""Deployments that are played: whole, or their prefill alone."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from evaluation.serving.assembly import workload
from evaluation.serving.results.scores import scores
from evaluation.serving.results.slo import ttft_s
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.serving.simulate import simulate

Scores = dict[str, float | None]


@dataclass(frozen=True)
class Play:
    """One simulation of a deployment; it can travel to another process.

    Parameters
    ----------
    scenario
        On the deployment, with the requests and the warm-up of the span.
    until_s
        When it ends at the latest.
    seed
        Of everything that is drawn.
    """

    scenario: ServingScenario
    until_s: float
    seed: int = 0

    def __call__(self) -> Scores | str:
        """Return the scores, or why it cannot be."""
        try:
            summary = simulate(self.scenario, until_s=self.until_s, seed=self.seed).summary
        except (ValueError, RuntimeError) as error:
            return str(error)
        return scores(summary)


@dataclass(frozen=True)
class PrefillPlay:
    """The prefill of a deployment without any decode: every answer ends with its first token.

    So no cache waits for a place in decode, and TTFT is what it is at best.

    Parameters
    ----------
    scenario, seed
        As in :class:`Play`.
    """

    scenario: ServingScenario
    seed: int = 0

    def __call__(self) -> tuple[float, float]:
        """Return the share of scored requests that keep their TTFT, and their output tokens."""
        scenario = self.scenario
        trace = workload.requests(scenario, workload.expert_load(scenario), self.seed)
        short = dataclasses.replace(trace, output_tokens=np.ones_like(trace.output_tokens))
        until_s = float(trace.arrival_s[-1]) + scenario.ttft_s + 1e-6
        log = simulate(scenario, until_s=until_s, seed=self.seed, trace=short).log
        scored = trace.arrival_s >= scenario.warm_up_s
        kept = scored & (ttft_s(log) <= scenario.ttft_s)
        return float(kept.sum() / scored.sum()), float(trace.output_tokens[kept].sum())


@contextmanager
def players(jobs: int) -> Iterator[Callable[..., list[Any]]]:
    """Give a function that runs plays in so many processes and returns answers in their order.

    Raises
    ------
    ValueError
        If jobs < 1.
    """
    if jobs < 1:
        raise ValueError(f"--jobs {jobs} < 1; give at least one")
    if jobs == 1:
        yield lambda plays, on_done=_nothing: _one_by_one(plays, on_done)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            yield lambda plays, on_done=_nothing: _at_once(pool, plays, on_done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_by_one(plays: Sequence[Callable[[], Any]], on_done: Callable[[], None]) -> list[Any]:
    found = []
    for play in plays:
        found.append(play())
        on_done()
    return found


def _at_once(
    pool: Executor, plays: Sequence[Callable[[], Any]], on_done: Callable[[], None]
) -> list[Any]:
    futures = [pool.submit(play) for play in plays]
    found = []
    for future in futures:
        found.append(future.result())
        on_done()
    return found


def _nothing() -> None:
    """Tell nobody."""
