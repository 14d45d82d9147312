"""Evaluator for evolutionary search: it scores the file of a program, more is better.

OpenEvolve and ADRS load a file with ``evaluate(program_path)`` and use the dict that it returns.
The cascade of OpenEvolve calls ``evaluate_stage1`` and ``evaluate_stage2`` first. ShinkaEvolve runs
a file that writes ``metrics.json`` and ``correct.json``, as :func:`write_results` does.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.evolution_workload import EvolutionWorkload, default_workloads
from evaluation.candidates.sandbox import Limits, SandboxedSolver
from evaluation.replay.cost import reference_s
from traces.atomic_file import atomic_write

__all__ = ["EvolutionWorkload", "evaluate", "evaluate_stage1", "evaluate_stage2", "write_results"]

#: Limits of a program: seconds of a call, and of all calls of one workload.
LIMITS = Limits(call_s=10.0, total_s=60.0)

#: Largest share of the score that a slow program loses. The value is our choice: a placement with
#: half the balance never wins by its speed.
SPEED_WEIGHT = 0.1

#: A call that takes as long as this many sorts of the load has the speed score 0.5. Our choice.
SORTS = 100

#: Placements that the first stage of a cascade scores per workload.
FIRST_STAGE = 2

#: The numbers of a result. All are 0 if there is an error.
NUMBERS = (
    "combined_score",
    "balancedness_score_gpu",
    "balancedness_score_expert",
    "speed_score",
    "times_algorithm",
)


@dataclass(frozen=True)
class _WindowScore:
    """One window: balance on the next window, seconds of the call, and of the reference sort."""

    gpu: float
    expert: float
    seconds: float
    sort_s: float


def evaluate(
    program_path: str | Path,
    workloads: Sequence[EvolutionWorkload] | None = None,
    limits: Limits = LIMITS,
    windows: int | None = None,
) -> dict[str, Any]:
    """Return the numbers of a program.

    The program is called after each window except the last. Its placement is scored on the next
    window, which it has not seen. It runs in its own process
    (:class:`evaluation.candidates.sandbox.SandboxedSolver`), one for each workload.

    Parameters
    ----------
    program_path
        A file with ``rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus)``, or
        any other entry that the sandbox knows.
    workloads
        Workloads to score; by default those of
        :func:`evaluation.candidates.evolution_workload.default_workloads`.
    limits
        Limits of the program.
    windows
        Number of placements to score per workload; ``None``: all.

    Returns
    -------
    dict
        Means over windows, then over workloads. ``balancedness_score_gpu`` and
        ``balancedness_score_expert`` are defined as in ADRS: the sum over layers of the mean load,
        over the sum of the maximum load, of ranks and of slots. ``times_algorithm`` is the seconds
        of a call. ``speed_score`` is 1 / (1 + t / 100 s), where t is the seconds of a call and s
        the seconds of sorting the load right after it, so that it is comparable across machines.
        ``combined_score`` is balancedness_score_gpu * (0.9 + 0.1 * speed_score). If the program
        fails or returns an infeasible placement, all numbers are 0, and ``error`` is the reason.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    path = Path(program_path)
    if not path.is_file():
        raise ValueError(f"program_path = {str(program_path)!r}: there is no such file")
    try:
        scores = [
            _window_scores(path, workload, limits, windows)
            for workload in (default_workloads() if workloads is None else workloads)
        ]
    except lb.Infeasible as error:
        return {**dict.fromkeys(NUMBERS, 0.0), "error": f"infeasible: {error}"}
    except (RuntimeError, TimeoutError, ValueError) as error:
        return {**dict.fromkeys(NUMBERS, 0.0), "error": f"failed: {error}"}
    gpu = _mean(scores, lambda window: window.gpu)
    speed = _mean(scores, lambda window: 1.0 / (1.0 + window.seconds / (SORTS * window.sort_s)))
    combined = gpu * (1.0 - SPEED_WEIGHT + SPEED_WEIGHT * speed)
    expert = _mean(scores, lambda window: window.expert)
    seconds = _mean(scores, lambda window: window.seconds)
    return dict(zip(NUMBERS, (combined, gpu, expert, speed, seconds), strict=True))


def evaluate_stage1(program_path: str | Path) -> dict[str, Any]:
    """Return the numbers of a program on the first windows only; see :func:`evaluate`."""
    return evaluate(program_path, windows=FIRST_STAGE)


def evaluate_stage2(program_path: str | Path) -> dict[str, Any]:
    """Return the numbers of a program on all windows; see :func:`evaluate`."""
    return evaluate(program_path)


def write_results(program_path: str | Path, results_dir: str | Path) -> dict[str, Any]:
    """Write ``metrics.json`` and ``correct.json`` for ShinkaEvolve, and return the metrics.

    Parameters
    ----------
    program_path
        As in :func:`evaluate`.
    results_dir
        Folder of the two files. It is created if necessary.
    """
    numbers = evaluate(program_path)
    error = numbers.pop("error", None)
    folder = Path(results_dir)
    folder.mkdir(parents=True, exist_ok=True)
    rest = {name: value for name, value in numbers.items() if name != "combined_score"}
    metrics = {
        "combined_score": numbers["combined_score"],
        "public": rest,
        "private": {},
        "extra_data": {},
        "text_feedback": error or "",
    }
    _write(folder / "metrics.json", metrics)
    _write(folder / "correct.json", {"correct": error is None, "error": error})
    return metrics


def _window_scores(
    path: Path, workload: EvolutionWorkload, limits: Limits, windows: int | None
) -> list[_WindowScore]:
    program = SandboxedSolver(path, limits=limits)
    try:
        program.honours  # noqa: B018 - starts the process before the clock runs
        last = len(workload.loads) - 1
        return [
            _window_score(program, workload, number)
            for number in range(last if windows is None else min(windows, last))
        ]
    finally:
        program.close()


def _window_score(
    program: SandboxedSolver, workload: EvolutionWorkload, number: int
) -> _WindowScore:
    problem = workload.problem(number)
    started = time.perf_counter()
    placement = program(problem)
    seconds = time.perf_counter() - started
    following = workload.loads[number + 1]
    slot_load = np.take_along_axis(following, placement.physical_to_logical, axis=1)
    slot_load = slot_load * placement.even_share
    return _WindowScore(
        gpu=_balancedness(placement.rank_load(following)),
        expert=_balancedness(slot_load),
        seconds=seconds,
        sort_s=reference_s(workload.loads[number]),
    )


def _balancedness(load: NDArray[np.float64]) -> float:
    """Return the sum of mean loads over the sum of maximum loads of layers; 1 without load."""
    maximum = float(load.max(axis=1).sum())
    return float(load.mean(axis=1).sum()) / maximum if maximum else 1.0


def _mean(scores: list[list[_WindowScore]], number: Callable[[_WindowScore], float]) -> float:
    return statistics.fmean(statistics.fmean(map(number, windows)) for windows in scores)


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1) + "\n"
    with atomic_write(path, "w") as file:
        file.write(text)
