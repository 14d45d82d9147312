"""Simulations of deployments, whole or without decode, in one process or several."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from evaluation.serving.assembly import workload
from evaluation.serving.assembly.routing import routing_model
from evaluation.serving.results.scores import scores
from evaluation.serving.results.slo import ttft_s
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.serving.simulate import simulate

#: Scores by name, as in :func:`evaluation.serving.results.goodput.scores`.
GoodputScores = dict[str, float | None]


@dataclass(frozen=True)
class DeploymentSimulation:
    """One simulation of a deployment; it can travel to another process.

    Parameters
    ----------
    scenario
        On the deployment, with the requests and the warm-up of the span.
    until_s
        When it ends at the latest.
    seed
        Random seed.
    """

    scenario: ServingScenario
    until_s: float
    seed: int = 0

    def __call__(self) -> GoodputScores | str:
        """Return the scores, or why the deployment is impossible."""
        try:
            summary = simulate(self.scenario, until_s=self.until_s, seed=self.seed).summary
        except (ValueError, RuntimeError) as error:
            return str(error)
        return scores(summary)


@dataclass(frozen=True)
class PrefillSimulation:
    """The prefill of a deployment without any decode: every answer ends with its first token.

    So no cache waits for capacity in decode, and TTFT is as short as this prefill allows.

    Parameters
    ----------
    scenario, seed
        As in :class:`DeploymentSimulation`.
    """

    scenario: ServingScenario
    seed: int = 0

    def __call__(self) -> tuple[float, float]:
        """Return the share of scored requests that keep their TTFT, and their output tokens."""
        scenario = self.scenario
        trace = workload.requests(scenario, routing_model(scenario, self.seed), self.seed)
        short = dataclasses.replace(trace, output_tokens=np.ones_like(trace.output_tokens))
        until_s = float(trace.arrival_s[-1]) + scenario.ttft_s + 1e-6
        log = simulate(scenario, until_s=until_s, seed=self.seed, trace=short).log
        scored = trace.arrival_s >= scenario.warm_up_s
        kept = scored & (ttft_s(log) <= scenario.ttft_s)
        return float(kept.sum() / scored.sum()), float(trace.output_tokens[kept].sum())


@contextmanager
def worker_pool(jobs: int) -> Iterator[Callable[..., list[Any]]]:
    """Yield a function that runs simulations in ``jobs`` processes and returns their answers.

    The answers have the order of the simulations.
    """
    if jobs == 1:
        yield lambda simulations, on_done=_ignore: _run_in_turn(simulations, on_done)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            yield lambda simulations, on_done=_ignore: _run_in_pool(pool, simulations, on_done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run_in_turn(
    simulations: Sequence[Callable[[], Any]], on_done: Callable[[], None]
) -> list[Any]:
    answers = []
    for simulation in simulations:
        answers.append(simulation())
        on_done()
    return answers


def _run_in_pool(
    pool: Executor, simulations: Sequence[Callable[[], Any]], on_done: Callable[[], None]
) -> list[Any]:
    futures = [pool.submit(simulation) for simulation in simulations]
    answers = []
    for future in futures:
        answers.append(future.result())
        on_done()
    return answers


def _ignore() -> None:
    """Report nothing."""
