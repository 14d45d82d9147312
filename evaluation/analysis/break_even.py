"""When replicas pay: a layer priced with and without them, over a grid."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.analysis.bandwidth import scaled
from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting
from evaluation.analysis.popularity import Popularity, after_drift, token_counts
from evaluation.analysis.workload_popularity import workload_popularity
from evaluation.candidates.candidate import Candidate
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Library, Model, Operators
from hardware.memory import most_sequences

Array = NDArray[np.float64]


def price(
    grid: BreakEvenGrid,
    setting: BreakEvenSetting,
    on_cell: Callable[[BreakEvenCell], None] | None = None,
) -> list[BreakEvenCell]:
    """Price every cell of a grid.

    For each cell, a popularity is drawn for every layer, and a window of tokens from it. The solver
    places experts for that window. Popularity may then drift. Finally steps are drawn and priced.
    With a workload, the popularity before and after is that of two of its windows.
    Cells that differ only in redundancy or bandwidth see the same tokens.

    Parameters
    ----------
    grid, setting
        The cells, and what they share.
    on_cell
        Called with every cell as it is done.

    Raises
    ------
    ValueError
        If a preset, law, solver or dispatcher is unknown, an axis does not suit the model or the
        fabric, or the solver's answer is not valid.
    """
    machines = [_Machine.of(setting, ranks, grid) for ranks in grid.ranks]
    cells: list[BreakEvenCell] = []
    for machine, batch, skew in product(machines, grid.batch, grid.skew):
        for cell in machine.cells(batch, skew, grid):
            cells.append(cell)
            if on_cell is not None:
                on_cell(cell)
    return cells


def break_even_skew(cells: Iterable[BreakEvenCell], against: str = "rearranged") -> float | None:
    """Return the least skew from which replicas pay, among cells that differ only in skew.

    The value is interpolated linearly between the two skews where the change turns negative. It is
    the least skew of all if the change is negative there, and None if it never is.

    Parameters
    ----------
    cells
        At least one.
    against
        "rearranged" or "contiguous".
    """
    changes = sorted((cell.skew, cell.change(against)) for cell in cells)
    for number, (skew, change) in enumerate(changes):
        if change < 0:
            before, cost = changes[number - 1] if number else (skew, 0.0)
            part = cost / (cost - change) if np.isfinite(cost) else 1.0
            return before + part * (skew - before)
    return None


@dataclass(frozen=True)
class _Machine:
    """One EP size: a step executor for each bandwidth, and the solver."""

    setting: BreakEvenSetting
    solver: lb.Solver
    executors: dict[float, StepExecutor]
    ranks: int

    @classmethod
    def of(cls, setting: BreakEvenSetting, ranks: int, grid: BreakEvenGrid) -> "_Machine":
        """Build the executors; ValueError if a setting is impossible."""
        model = Model.preset(setting.model)
        if model.experts % ranks:
            divisors = [n for n in range(1, model.experts + 1) if model.experts % n == 0]
            raise ValueError(
                f"ranks = {ranks} does not divide the {model.experts} experts of {model.name}, so "
                f"that there is no layout without replicas; give some of {divisors}"
            )
        slots = model.experts // ranks + max(grid.redundant)
        lb.Problem(np.ones((1, model.experts)), ranks, slots)
        lb.make_dispatcher(setting.dispatcher)
        library = Library.preset(setting.library)
        collectives = Collectives(Fabric.preset(setting.fabric, ranks), model, library)
        operators = Operators(Device.preset(setting.device), model)
        executors = {
            factor: StepExecutor(operators, scaled(collectives, factor), setting.kv_tokens)
            for factor in grid.bandwidth
        }
        return cls(setting, Candidate(setting.solver, setting.seed).make(), executors, ranks)

    @property
    def operators(self) -> Operators:
        """Kernel times; the same at every bandwidth."""
        return next(iter(self.executors.values())).operators

    def cells(self, batch: int, skew: float, grid: BreakEvenGrid) -> Iterable[BreakEvenCell]:
        """Yield the cells of a batch and skew."""
        without = self.batch(batch, 0)
        contiguous = self.layer_s(without, skew, 0, lb.make("contiguous"))
        rearranged = self.layer_s(without, skew, 0, self.solver)
        for redundant in grid.redundant:
            with_replicas = self.batch(batch, redundant)
            replicas = {}
            if with_replicas:
                replicas = self.layer_s(with_replicas, skew, redundant, self.solver)
            for factor in grid.bandwidth:
                base, layer_s = rearranged[factor] / without, replicas.get(factor)
                deviation = 0.0
                if layer_s is not None:
                    deviation = float((layer_s / with_replicas - base).std(ddof=1) / base.mean())
                yield BreakEvenCell(
                    skew=skew,
                    batch=batch,
                    ranks=self.ranks,
                    redundant=redundant,
                    bandwidth=factor,
                    contiguous_s=float(contiguous[factor].mean()),
                    rearranged_s=float(rearranged[factor].mean()),
                    replicas_s=float("nan") if layer_s is None else float(layer_s.mean()),
                    error=deviation / np.sqrt(self.setting.layers),
                    batch_without=without,
                    batch_with=with_replicas,
                    fits=self.most_batch(redundant) >= batch,
                )

    def batch(self, requested: int, redundant: int) -> int:
        """Return the tokens per rank: the requested ones, or fewer if memory limits them."""
        if not self.setting.memory_bound:
            return requested
        most = self.most_batch(redundant)
        if most < 1 and not redundant:
            raise ValueError(
                f"ranks = {self.ranks}: {self.setting.model} leaves no memory for one sequence of "
                f"{self.setting.kv_tokens:g} tokens on {self.setting.device}; give more ranks"
            )
        return min(requested, most)

    def most_batch(self, redundant: int) -> int:
        """Return the number of sequences whose cache fits in memory with the slots."""
        slots = self.operators.model.experts // self.ranks + redundant
        return most_sequences(self.operators, slots, self.setting.kv_tokens)

    def layer_s(
        self, batch: int, skew: float, redundant: int, solver: lb.Solver
    ) -> dict[float, Array]:
        """Return [layers] mean seconds by bandwidth, under a placement for the window before."""
        tokens = batch * self.ranks
        window, counts = _token_counts(self.setting, self.operators.model, skew, tokens)
        fabric = self.executors[next(iter(self.executors))].collectives.fabric
        problem = lb.Problem(
            window[None],
            self.ranks,
            self.operators.model.experts // self.ranks + redundant,
            ranks_per_node=fabric.ranks_per_node,
            expert_groups=self.operators.model.expert_groups,
            dispatcher=self.setting.dispatcher,
        )
        placement = lb.solve(problem, solver)
        split = lb.configured(self.setting.dispatcher, fabric.ranks_per_node)
        total_s = {factor: np.zeros(self.setting.layers) for factor in self.executors}
        for step in counts.astype(np.float64):
            share = lb.check_share(placement, split(placement, step))
            for factor, executor in self.executors.items():
                total_s[factor] += executor.step(placement, step, share, tokens).layers
        return {factor: seconds / len(counts) for factor, seconds in total_s.items()}


@lru_cache(maxsize=4)
def _token_counts(
    setting: BreakEvenSetting, model: Model, skew: float, tokens: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw [layers, experts] copies of the window, [steps, layers, experts] copies after it."""
    fitted, judged = _shares(setting, model, skew)
    of_tokens = np.random.default_rng([setting.seed, 1, tokens])
    seen = token_counts(fitted, model.top_k, tokens * setting.window_steps, 1, of_tokens)[0]
    return seen, token_counts(judged, model.top_k, tokens, setting.steps, of_tokens)


def _shares(setting: BreakEvenSetting, model: Model, skew: float) -> tuple[Array, Array]:
    """Return [layers, experts] shares of copies in the window, and in the steps after it."""
    if setting.workload:
        of_windows = workload_popularity(
            setting.workload, setting.model, setting.window_s, setting.at, setting.seed
        )
        return of_windows.fitted, of_windows.judged
    law = Popularity(setting.law, skew, model.top_k)
    of_experts = np.random.default_rng([setting.seed, 0])
    logarithm = law.logarithm(setting.layers, model.experts, of_experts)
    later = after_drift(logarithm, setting.drift, of_experts)
    return law.share(logarithm), law.share(later)
