"""A solver from a stranger's file: asked in a process of its own, answers checked in ours."""

import hashlib
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.sandbox import wire
from evaluation.candidates.sandbox.entry_point import entry_name
from evaluation.candidates.sandbox.limits import Limits
from evaluation.candidates.sandbox.permutation import Permutation
from evaluation.candidates.sandbox.process import Process


class Sandboxed:
    """A user's program as a :class:`lb.Solver`; trace, clock and future stay with the caller.

    The process starts when something is asked of it, and ends with :meth:`close`, with this object,
    or when it breaks a limit. Experts have other numbers in there, drawn from the seed and the
    file's hash, and the answer is given back in their own: a program cannot answer from a window
    that it knows by heart. Which loads belong together it still sees, so whoever sorts them can
    still recognise a published trace.

    Parameters
    ----------
    path
        The file.
    name
        The callable in it; empty where it defines exactly one known entry
        (:func:`evaluation.candidates.sandbox.entry_point.entry_name`).
    seed
        Given to a class that takes one, and of the numbers of experts.
    limits
        What it may use.
    permute
        Whether experts have other numbers.

    Raises
    ------
    ValueError
        If the file is missing, cannot be parsed, or no entry is found in it.
    """

    def __init__(
        self,
        path: Path,
        name: str = "",
        seed: int = 0,
        limits: Limits | None = None,
        permute: bool = True,
    ) -> None:
        self.path = Path(path)
        self.name = entry_name(self.path, name)
        self.seed = seed
        self.limits = limits or Limits()
        self.permute = permute
        self._digest = hashlib.sha256(self.path.read_bytes()).digest()
        self._orders: dict[tuple[int, int, int], Permutation] = {}
        self._process: Process | None = None
        self._used_s = 0.0

    @property
    def __name__(self) -> str:
        """Name of the callable, for messages."""
        return self.name

    @property
    def honours(self) -> frozenset[str]:
        """Demands that the program says it respects; starts it."""
        return frozenset(map(str, self._started().about.get("honours", ())))

    @property
    def forecasts(self) -> bool:
        """Whether the program says that it makes its own guess; starts it."""
        return bool(self._started().about.get("forecasts"))

    @property
    def program_parameters(self) -> dict[str, Any]:
        """Fields of the program's object, as it says; starts it."""
        found = self._started().about.get("parameters")
        return found if isinstance(found, dict) else {}

    def __call__(self, problem: lb.Problem) -> lb.Placement:
        """Return the program's placement.

        Raises
        ------
        TimeoutError
            If the answer, or all of them together, take too long.
        Infeasible
            If the answer is none of this problem.
        Raised
            If the program raised an exception.
        RuntimeError
            If it died or broke another limit.
        """
        table, _ = self._answer(problem, self._order(problem) if self.permute else None)
        return problem.check(lb.Placement(table, problem.num_ranks))

    @property
    def dialect(self) -> str:
        """How the program is asked: "problem", "eplb" or "competition"; starts it."""
        return str(self._started().about.get("dialect"))

    def rebalance(
        self, hotness: NDArray[np.int32], n_device: int, n_red_expert: int
    ) -> tuple[bool, list[int], NDArray[np.int64], None]:
        """Play the balancing competition with a program that has its ``rebalance``.

        Experts keep their numbers there: the protocol says what is loaded at the start.

        Parameters
        ----------
        hotness
            [iterations, layers, experts] counts.
        n_device, n_red_expert
            Ranks, and slots of a layer beyond one for each expert.

        Raises
        ------
        TimeoutError, RuntimeError, Infeasible
            As of a call.
        """
        slots = hotness.shape[2] + n_red_expert
        problem = lb.Problem(hotness, n_device, slots // n_device)
        table, order = self._answer(problem, None)
        return bool(order), order, table.reshape(len(table), n_device, -1), None

    def _answer(
        self, problem: lb.Problem, order: Permutation | None
    ) -> tuple[NDArray[np.int64], list[int]]:
        process = self._started()
        payload = wire.pack_problem(problem, order.hidden(problem) if order else None)
        left = self.limits.total_s - self._used_s
        if left <= 0:
            self.close()
            raise TimeoutError(f"its calls took longer than {self.limits.total_s:g} s together")
        shape = (problem.num_layers, problem.num_slots)
        begun = time.monotonic()
        try:
            raw = process.ask(payload, wire.most_bytes(shape), min(self.limits.call_s, left))
        finally:
            self._used_s += time.monotonic() - begun
        table, layers = wire.unpack_table(raw, shape)
        return (table if order is None else order.shown(table)), layers

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Sandboxed, (self.path, self.name, self.seed, self.limits, self.permute)

    def _started(self) -> Process:
        if self._process is None or not self._process.close.alive:
            self._process = Process(self.path, self.name, self.seed, self.limits)
        return self._process

    def _order(self, problem: lb.Problem) -> Permutation:
        key = (problem.num_layers, problem.num_experts, problem.expert_groups)
        if key not in self._orders:
            seed = [self.seed, *self._digest[:16], *key]
            self._orders[key] = Permutation.drawn(*key, seed)
        return self._orders[key]
