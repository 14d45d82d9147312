"""Workloads that score evolved programs: windows of load and a deployment."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import lb
from lb.checked import checked_amounts, checked_integer

#: Bundled workload of recorded tokens.
RECORDED = "v2lite-decode-changing-domains"


@dataclass(frozen=True, eq=False)
class EvolutionWorkload:
    """Consecutive windows of load, and the other arguments of ``rebalance_experts``.

    Parameters
    ----------
    name
        Name of the workload.
    loads
        [windows, layers, experts] tokens of at least two windows, oldest first.
    num_replicas, num_groups, num_nodes, num_gpus
        Slots of a layer over all ranks, expert groups, nodes, and ranks. The defaults are those of
        ADRS.

    Raises
    ------
    ValueError
        If there are fewer than two windows, or a size does not divide another one.
    """

    name: str
    loads: NDArray[np.float64]
    num_replicas: int = 288
    num_groups: int = 8
    num_nodes: int = 4
    num_gpus: int = 32

    def __post_init__(self) -> None:
        loads = checked_amounts(self.loads, "loads", ("windows", "layers", "experts"))
        if len(loads) < 2:
            raise ValueError(
                f"workload {self.name!r} has {len(loads)} windows < 2; the next one is judged"
            )
        object.__setattr__(self, "loads", loads)
        for name, whole in (("num_gpus", self.num_replicas), ("num_nodes", self.num_gpus)):
            divisor = checked_integer(getattr(self, name), name, at_least=1)
            if whole % divisor:
                raise ValueError(f"{name} = {divisor} does not divide {whole}; give a divisor")
        self.problem(0)

    def problem(self, window: int) -> lb.Problem:
        """Return the problem after a window. Its load is that window alone."""
        return lb.Problem(
            self.loads[window],
            self.num_gpus,
            self.num_replicas // self.num_gpus,
            ranks_per_node=self.num_gpus // self.num_nodes,
            expert_groups=self.num_groups,
        )

    @classmethod
    def of_trace(cls, trace: Any, window_steps: int, **sizes: int) -> "EvolutionWorkload":
        """Return the workload of a routing trace, cut into complete windows.

        Parameters
        ----------
        trace
            A routing trace, as :func:`traces.load` returns it.
        window_steps
            Steps of a window.
        sizes
            Deployment sizes, as in :class:`EvolutionWorkload`.
        """
        counts = np.concatenate([block.counts for block in trace.blocks()])
        return cls(str(trace.model), _summed(counts, window_steps), **sizes)

    @classmethod
    def of_adrs(cls, path: Path | str, interval: int = 100, **sizes: int) -> "EvolutionWorkload":
        """Read ``expert-load.json`` of ADRS: ``{"load_history": [{"logical_expert_load": …}]}``.

        Parameters
        ----------
        path
            The file.
        interval
            Records in one window. An incomplete last window is left out.
        sizes
            Deployment sizes, as in :class:`EvolutionWorkload`.

        Raises
        ------
        ValueError
            If the file has another format.
        """
        try:
            records = json.loads(Path(path).read_text(encoding="utf-8"))["load_history"]
            loads = [record["logical_expert_load"] for record in records]
            counts = np.array(loads, dtype=np.float64)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path}: no load_history of ADRS ({error!r})") from None
        return cls(Path(path).stem, _summed(counts, interval), **sizes)


def _summed(counts: ArrayLike, size: int) -> NDArray[np.float64]:
    """Return [windows, layers, experts] sums over ``size`` steps each."""
    steps = np.asarray(counts, dtype=np.float64)
    size = checked_integer(size, "window_steps", at_least=1)
    windows = len(steps) // size
    parts = steps[: windows * size].reshape(windows, size, *steps.shape[1:])
    summed: NDArray[np.float64] = parts.sum(axis=1)
    return summed


@functools.cache
def default_workloads() -> tuple[EvolutionWorkload, ...]:
    """Return the two default workloads. The choice is ours.

    The first is generated drift at the size of DeepSeek-V3 in 12 windows, with the sizes of ADRS:
    288 slots, 8 groups, 4 nodes, 32 ranks. The second has recorded tokens of DeepSeek-V2-Lite,
    composed as batches whose domains change, in 12 windows of 2,000 steps, on 32 ranks with 3 slots
    each. Of two windows that follow each other one is made of one half of the recorded sequences
    and one of the other half, so that no program is judged on sequences that it saw.
    """
    import traces
    from evaluation.replay.workload_windows import WindowCut, workload_windows

    drift = EvolutionWorkload.of_trace(traces.load("ar1-drift", "routing"), 2)
    cut = WindowCut(window_steps=2000, window_s=None, sampled_steps=1, limit=12)
    windows = workload_windows((RECORDED,), 0, cut, None).windows
    loads = [
        window.load if number % 2 else window.observed for number, window in enumerate(windows)
    ]
    sizes = {"num_replicas": 96, "num_groups": 1, "num_nodes": 4, "num_gpus": 32}
    return drift, EvolutionWorkload("deepseek-v2-lite", np.stack(loads).astype(float), **sizes)
