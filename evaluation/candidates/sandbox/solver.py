"""An untrusted program as a solver: it runs in its own process, its answers are checked here."""

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
from evaluation.candidates.sandbox.process import ProgramProcess


class SandboxedSolver:
    """A user's program as a :class:`lb.Solver`. Trace, clock and future stay with the caller.

    The process starts with the first call, and ends with :meth:`close`, with this object, or when
    the program breaks a limit. The program sees the experts under new numbers, drawn from the seed
    and the hash of the file. So it cannot answer from windows that it has stored. The loads of a
    layer stay together: a program that sorts them can still recognise a published trace.

    Parameters
    ----------
    path
        The file.
    name
        The callable in the file; empty if the file defines exactly one known entry
        (:func:`evaluation.candidates.sandbox.entry_point.entry_name`).
    seed
        Random seed of a class that takes one, and of the new expert numbers.
    limits
        Limits of the process.
    permute
        Whether the experts are renumbered.

    Raises
    ------
    ValueError
        If the file is missing, cannot be parsed, or has no entry.
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
        self._permutations: dict[tuple[int, int, int], Permutation] = {}
        self._process: ProgramProcess | None = None
        self._used_s = 0.0

    @property
    def __name__(self) -> str:
        """Name of the callable, for messages."""
        return self.name

    @property
    def honours(self) -> frozenset[str]:
        """Demands that the program says it honours. Starts the process."""
        return frozenset(map(str, self._started().about.get("honours", ())))

    @property
    def forecasts(self) -> bool:
        """Whether the program says that it makes its own forecast. Starts the process."""
        return bool(self._started().about.get("forecasts"))

    @property
    def program_parameters(self) -> dict[str, Any]:
        """Parameters that the program reports. Starts the process."""
        parameters = self._started().about.get("parameters")
        return parameters if isinstance(parameters, dict) else {}

    def __call__(self, problem: lb.Problem) -> lb.Placement:
        """Return the program's placement.

        Raises
        ------
        TimeoutError
            If the call, or all calls together, take too long.
        Infeasible
            If the answer is no valid placement of the problem.
        ProgramError
            If the program raised an exception.
        RuntimeError
            If the process died or broke another limit.
        """
        table, _ = self._answer(problem, self._permutation(problem) if self.permute else None)
        return problem.check(lb.Placement(table, problem.num_ranks))

    @property
    def convention(self) -> str:
        """Calling convention: "problem", "eplb" or "competition". Starts the process."""
        return str(self._started().about.get("convention"))

    def rebalance(
        self, hotness: NDArray[np.int32], n_device: int, n_red_expert: int
    ) -> tuple[bool, list[int], NDArray[np.int64], None]:
        """Answer as an entry to the balancing competition.

        The experts keep their numbers, because the protocol fixes the placement at the start.

        Parameters
        ----------
        hotness
            [iterations, layers, experts] counts.
        n_device, n_red_expert
            Ranks, and slots of a layer in addition to one for each expert.

        Raises
        ------
        TimeoutError, RuntimeError, Infeasible
            As in a call.
        """
        slots = hotness.shape[2] + n_red_expert
        problem = lb.Problem(hotness, n_device, slots // n_device)
        table, order = self._answer(problem, None)
        return bool(order), order, table.reshape(len(table), n_device, -1), None

    def _answer(
        self, problem: lb.Problem, permutation: Permutation | None
    ) -> tuple[NDArray[np.int64], list[int]]:
        process = self._started()
        payload = wire.pack_problem(problem, permutation.renumber(problem) if permutation else None)
        remaining_s = self.limits.total_s - self._used_s
        if remaining_s <= 0:
            self.close()
            raise TimeoutError(f"its calls took longer than {self.limits.total_s:g} s together")
        shape = (problem.num_layers, problem.num_slots)
        started = time.monotonic()
        try:
            raw = process.ask(
                payload, wire.max_answer_bytes(shape), min(self.limits.call_s, remaining_s)
            )
        finally:
            self._used_s += time.monotonic() - started
        table, layers = wire.unpack_table(raw, shape)
        return (table if permutation is None else permutation.restore(table)), layers

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __reduce__(self) -> tuple[Any, ...]:
        return SandboxedSolver, (self.path, self.name, self.seed, self.limits, self.permute)

    def _started(self) -> ProgramProcess:
        if self._process is None or not self._process.close.alive:
            self._process = ProgramProcess(self.path, self.name, self.seed, self.limits)
        return self._process

    def _permutation(self, problem: lb.Problem) -> Permutation:
        key = (problem.num_layers, problem.num_experts, problem.expert_groups)
        if key not in self._permutations:
            seed = [self.seed, *self._digest[:16], *key]
            self._permutations[key] = Permutation.random(*key, seed)
        return self._permutations[key]
