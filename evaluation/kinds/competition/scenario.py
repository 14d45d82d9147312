"""A scenario of a suite of kind "competition": one size of the balancing competition."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import lb
from evaluation.candidates.competition_protocol import Rebalance
from evaluation.kinds.competition import protocol
from evaluation.kinds.competition.drifting_counts import drifting_counts
from hardware import preset

#: Check of each key of a scenario.
CHECKS: dict[str, preset.Check] = {
    "id": preset.text,
    "num_ranks": preset.count_from_one,
    "slots_per_rank": preset.count_from_one,
    "iterations": preset.count_from_one,
    "layers": preset.count_from_one,
    "experts": preset.count_from_one,
    "tokens": preset.count_from_one,
    "rho": preset.not_negative,
    "window": preset.count_from_one,
    "charge": preset.count,
}
OPTIONAL = frozenset({"layers", "experts", "tokens", "rho", "window", "charge"})


@dataclass(frozen=True)
class CompetitionScenario:
    """One size of the competition, on generated counts.

    Parameters
    ----------
    id
        Name, unique in its suite.
    num_ranks, slots_per_rank, window
        As in :func:`evaluation.kinds.competition.protocol.play`.
    iterations, layers, experts, tokens, rho
        As in :func:`evaluation.kinds.competition.drifting_counts.drifting_counts`.
    charge
        Iterations that every call costs, however long it takes: no wall time is in a score.
    """

    id: str
    num_ranks: int
    slots_per_rank: int
    iterations: int
    layers: int = 58
    experts: int = 256
    tokens: int = 65_536
    rho: float = 0.9997
    window: int = 16
    charge: int = 1

    is_drawn = True
    family = "competition"
    dispatcher = "even"

    def check(self) -> None:
        """Raise ValueError, naming the scenario, if its size is impossible."""
        try:
            self.counts(0)
            lb.Problem(np.zeros((1, self.experts)), self.num_ranks, self.slots_per_rank)
        except ValueError as error:
            raise ValueError(f"scenario {self.id!r}: {error}") from None

    def counts(self, seed: int) -> Iterable[Any]:
        """Return the counts [layers, experts] of one iteration after another."""
        shape = (self.iterations, self.layers, self.experts)
        return drifting_counts(*shape, rho=self.rho, tokens=self.tokens, seed=seed)

    def run(self, rebalance: Rebalance, seed: int) -> protocol.CompetitionRun:
        """Return the run of an entry."""
        return protocol.play(
            rebalance,
            self.counts(seed),
            self.num_ranks,
            self.slots_per_rank,
            window=self.window,
            charge=self._charge,
        )

    def baseline(self, seed: int) -> protocol.CompetitionRun:
        """Return the run of DeepSeek's EPLB every 1,024 iterations."""
        sizes = self.num_ranks, self.slots_per_rank
        return protocol.baseline(self.counts(seed), *sizes, self._charge)

    def trace_hash(self, seed: int) -> str:
        """Return a hash of the first counts, and of the parameters that generate the others."""
        parameters = (self.iterations, self.layers, self.experts, self.tokens, self.rho, seed)
        digest = hashlib.sha256(repr(parameters).encode())
        digest.update(next(iter(self.counts(seed))).tobytes())
        return digest.hexdigest()

    def _charge(self, seconds: float) -> int:
        return self.charge


def read(where: str, table: dict[str, Any]) -> CompetitionScenario:
    """Return the scenario of a table.

    Raises
    ------
    ValueError
        Naming ``where``, if a key is unknown or missing, or its value is not allowed.
    """
    return CompetitionScenario(**preset.checked(where, table, CHECKS, OPTIONAL))
