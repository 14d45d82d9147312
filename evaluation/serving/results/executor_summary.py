"""Summaries of task executors: queues, KV cache, balance, and shares of the time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.sample_log import SampleLog

Columns = dict[str, NDArray[Any]]


def executor_summaries(
    samples: SampleLog, until_s: float, warm_up_s: float = 0.0
) -> dict[str, dict[str, Any]]:
    """Return averages from ``warm_up_s`` to ``until_s``, by name of the task executor.

    Parameters
    ----------
    samples
        Samples of the task executors. A state lasts until the next sample of its executor.
    until_s, warm_up_s
        Bounds of the time. Intervals that began before ``warm_up_s`` are left out of totals.

    Returns
    -------
    dict
        ``waiting`` and ``running`` (requests) and ``kv_use`` (used over capacity), each with
        ``mean`` over time and ``max``. ``steps``: their number. ``busy``: fraction of the time in
        steps. ``barrier_idle``: fraction of the busy time that the mean DP group waits.
        ``dp_imbalance``: load of the heaviest DP group over the mean, averaged over steps.
        ``seconds``: see :func:`step_seconds`. A value without samples is None.
    """
    return {
        name: _summary(samples.of(number), until_s, warm_up_s)
        for number, name in enumerate(samples.executors)
    }


def step_seconds(columns: Columns) -> dict[str, float]:
    """Return the seconds in steps by their use, summed over samples.

    Returns
    -------
    dict
        ``attention`` and ``experts`` of the mean DP group or rank, its ``wait for attention`` and
        ``wait for experts`` of the slowest one, ``communication``, and ``other``: the rest of the
        steps, which is negative if stages overlap.
    """
    total = {name: float(column.sum()) for name, column in columns.items()}
    staged = total["attention_max_s"] + total["experts_max_s"] + total["communication_s"]
    return {
        "attention": total["attention_mean_s"],
        "wait for attention": total["attention_max_s"] - total["attention_mean_s"],
        "experts": total["experts_mean_s"],
        "wait for experts": total["experts_max_s"] - total["experts_mean_s"],
        "communication": total["communication_s"],
        "other": total["busy_s"] - staged,
    }


def _summary(columns: Columns, until_s: float, warm_up_s: float) -> dict[str, Any]:
    time_s = columns["time_s"]
    began_s = np.concatenate([[0.0], time_s[:-1]])  # a sample is taken at the end of its interval
    inside = (began_s >= warm_up_s) & (time_s <= until_s)
    kept = {name: column[inside] for name, column in columns.items()}
    total = {name: float(column.sum()) for name, column in kept.items()}
    use = columns["kv_used"] / np.maximum(columns["kv_capacity"], 1)
    states = {"waiting": columns["waiting"], "running": columns["running"], "kv_use": use}
    held_s = _held_s(time_s, until_s, warm_up_s)
    measured_s = float(time_s[inside][-1] - began_s[inside][0]) if inside.any() else 0.0
    return {
        **{name: _over_time(state, held_s) for name, state in states.items()},
        "steps": int(total["steps"]),
        "busy": _ratio(total["busy_s"], measured_s),
        "barrier_idle": _ratio(total["barrier_idle_s"], total["busy_s"]),
        "dp_imbalance": _ratio(total["dp_imbalance"], total["steps"]),
        "seconds": step_seconds(kept),
    }


def _held_s(time_s: NDArray[np.float64], until_s: float, warm_up_s: float) -> NDArray[np.float64]:
    """Return [samples] seconds for which each state lasts within the bounds."""
    edges = np.clip(np.append(time_s, until_s), warm_up_s, until_s)
    return np.diff(edges)


def _over_time(state: NDArray[Any], held_s: NDArray[np.float64]) -> dict[str, float | None]:
    lasting = held_s > 0
    if not lasting.any():
        return {"mean": None, "max": None}
    mean = np.average(state[lasting], weights=held_s[lasting])
    return {"mean": float(mean), "max": float(state[lasting].max())}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
