"""An evaluator for evolutionary search: a program's file to numbers, more is better.

OpenEvolve and ADRS load a file with ``evaluate(program_path)`` and take the dict that it returns;
OpenEvolve's cascade calls ``evaluate_stage1`` and ``evaluate_stage2`` first. ShinkaEvolve runs a
file that writes ``metrics.json`` and ``correct.json``: :func:`write_results`.
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
from evaluation.candidates.evolution_workload import Workload, usual
from evaluation.candidates.sandbox import Limits, Sandboxed
from evaluation.replay.cost import reference_s
from traces.atomic_file import atomic_write

#: What a program may use: seconds for an answer, and for all of one workload.
LIMITS = Limits(call_s=10.0, total_s=60.0)

#: Share of a score that speed can cost, ours. A map of half the balance never wins by being fast.
SPEED_WEIGHT = 0.1

#: Sorts of the load that take as long as an answer whose speed is worth a half, ours.
SORTS = 100

#: Windows, beside the one they are judged on, of the first stage of a cascade.
FIRST_STAGE = 2

#: Every number that a result has; all are 0 where there is an error.
NUMBERS = (
    "combined_score",
    "balancedness_score_gpu",
    "balancedness_score_expert",
    "speed_score",
    "times_algorithm",
)


@dataclass(frozen=True)
class _Judged:
    """One window: balance on the next one, seconds of the answer, and of sorting beside it."""

    gpu: float
    expert: float
    seconds: float
    sort_s: float


def evaluate(
    program_path: str | Path,
    workloads: Sequence[Workload] | None = None,
    limits: Limits = LIMITS,
    windows: int | None = None,
) -> dict[str, Any]:
    """Return the numbers of a program.

    After each window but the last the program is asked, and its map is judged on the window that
    follows, which it has not seen. It runs in a process of its own
    (:class:`evaluation.candidates.sandbox.Sandboxed`), a new one for each workload.

    Parameters
    ----------
    program_path
        A file with ``rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus)``, or
        any other entry that the sandbox knows.
    workloads
        What it is judged on; :func:`evaluation.candidates.evolution_workload.usual` by default.
    limits
        What it may use.
    windows
        Only so many maps of each workload are judged; ``None``: all.

    Returns
    -------
    dict
        Means over windows, then workloads. ``balancedness_score_gpu`` and
        ``balancedness_score_expert`` are, as in ADRS, the sums over layers of the mean over those
        of the maximum of rank loads, and of slot loads. ``times_algorithm`` is seconds an answer.
        ``speed_score`` is 1 / (1 + t / 100 s) for an answer's seconds t and the seconds s of
        sorting the load beside it: between 0 and 1 whatever the program and the machine.
        ``combined_score`` is balancedness_score_gpu * (0.9 + 0.1 * speed_score). A program that
        fails or gives an infeasible map anywhere has 0 of everything and an ``error`` in words.

    Raises
    ------
    ValueError
        If there is no such file, which is not the program's fault.
    """
    path = Path(program_path)
    if not path.is_file():
        raise ValueError(f"program_path = {str(program_path)!r}: there is no such file")
    try:
        judged = [
            _judged(path, workload, limits, windows)
            for workload in (usual() if workloads is None else workloads)
        ]
    except lb.Infeasible as error:
        return {**dict.fromkeys(NUMBERS, 0.0), "error": f"infeasible: {error}"}
    except (RuntimeError, TimeoutError, ValueError) as error:
        return {**dict.fromkeys(NUMBERS, 0.0), "error": f"failed: {error}"}
    gpu = _mean(judged, lambda one: one.gpu)
    speed = _mean(judged, lambda one: 1.0 / (1.0 + one.seconds / (SORTS * one.sort_s)))
    combined = gpu * (1.0 - SPEED_WEIGHT + SPEED_WEIGHT * speed)
    expert = _mean(judged, lambda one: one.expert)
    seconds = _mean(judged, lambda one: one.seconds)
    return dict(zip(NUMBERS, (combined, gpu, expert, speed, seconds), strict=True))


def evaluate_stage1(program_path: str | Path) -> dict[str, Any]:
    """Return the numbers of a program on the first windows alone; as :func:`evaluate`."""
    return evaluate(program_path, windows=FIRST_STAGE)


def evaluate_stage2(program_path: str | Path) -> dict[str, Any]:
    """Return the numbers of a program on everything; as :func:`evaluate`."""
    return evaluate(program_path)


def write_results(program_path: str | Path, results_dir: str | Path) -> dict[str, Any]:
    """Write ``metrics.json`` and ``correct.json``, as ShinkaEvolve reads them; return the numbers.

    Parameters
    ----------
    program_path
        As in :func:`evaluate`.
    results_dir
        Folder of the two files; made if it is not there.
    """
    found = evaluate(program_path)
    error = found.pop("error", None)
    folder = Path(results_dir)
    folder.mkdir(parents=True, exist_ok=True)
    rest = {name: value for name, value in found.items() if name != "combined_score"}
    metrics = {
        "combined_score": found["combined_score"],
        "public": rest,
        "private": {},
        "extra_data": {},
        "text_feedback": error or "",
    }
    _write(folder / "metrics.json", metrics)
    _write(folder / "correct.json", {"correct": error is None, "error": error})
    return metrics


def _judged(path: Path, workload: Workload, limits: Limits, windows: int | None) -> list[_Judged]:
    program = Sandboxed(path, limits=limits)
    try:
        program.honours  # noqa: B018 - starts it, before the clock runs
        last = len(workload.loads) - 1
        return [
            _window(program, workload, number)
            for number in range(last if windows is None else min(windows, last))
        ]
    finally:
        program.close()


def _window(program: Sandboxed, workload: Workload, number: int) -> _Judged:
    problem = workload.problem(number)
    started = time.perf_counter()
    placement = program(problem)
    seconds = time.perf_counter() - started
    following = workload.loads[number + 1]
    slots = np.take_along_axis(following, placement.physical_to_logical, axis=1)
    slots = slots * placement.even_share
    return _Judged(
        gpu=_balancedness(placement.rank_load(following)),
        expert=_balancedness(slots),
        seconds=seconds,
        sort_s=reference_s(workload.loads[number]),
    )


def _balancedness(load: NDArray[np.float64]) -> float:
    """Return the sum over layers of the mean over that of the maximum; 1 without load."""
    most = float(load.max(axis=1).sum())
    return float(load.mean(axis=1).sum()) / most if most else 1.0


def _mean(judged: list[list[_Judged]], number: Callable[[_Judged], float]) -> float:
    return statistics.fmean(statistics.fmean(map(number, one)) for one in judged)


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1) + "\n"
    with atomic_write(path, "w") as file:
        file.write(text)
