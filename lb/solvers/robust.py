"""Robust: least expected peak over many scenarios of the next window, under the dispatcher."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer, checked_number
from lb.expected_peak import anneal
from lb.packing import rank_slowness
from lb.placement import Placement
from lb.problem import Problem
from lb.scenarios import Outlook, outlook
from lb.solvers.incremental import Incremental
from lb.solvers.local_search import LocalSearch


@dataclass(frozen=True)
class Robust:
    """Plan for the many loads that the next window may bring, not for the one that was seen.

    The windows give a guess of the next one and how far such guesses were off
    (:func:`lb.scenarios.outlook`); and what has been may come again. Simulated annealing looks for
    the least expected peak over random loads of both kinds, the dispatcher being followed in each
    (:func:`lb.expected_peak.anneal`), with fresh loads in every round. This is sample average
    approximation (Kleywegt, Shapiro and Homem-de-Mello 2002, SIAM Journal on Optimization 12(2),
    doi:10.1137/S1052623499363220). Under the ``optimal`` dispatcher a placement is worth what load
    it lets flow between ranks; any other one is taken for an even split.

    With a ``move_price`` and a current placement every move adds its price, and the search sets out
    from what is loaded if that is better than a new start, the price being counted.

    A single window under a fixed split leaves nothing to plan for but the guess: ``local-search``
    answers, or ``incremental`` where moves have a price.

    Parameters
    ----------
    samples
        Random loads of a round, in pairs of opposite deviations.
    iterations, rounds
        Moves tried in a round, and rounds.
    sweeps
        Rounds of evening out that follow the dispatcher after a move.
    warmth
        Increase of the expected peak that the first moves may cost, relative.
    recall
        Part of the random loads that are past windows, where there are several.
    quantile
        Minimise this quantile of the peak instead of its mean: 0.9 plans for bad windows.
    spread
        Standard deviation of the logarithm of an expert's next load around the guess; measured from
        the windows unless given.
    unknown_spread
        The same where the problem has a single window, which says nothing of it. An assumption.
    seed
        Equal seeds give equal placements.
    """

    samples: int = 128
    iterations: int = 1000
    rounds: int = 2
    sweeps: int = 5
    warmth: float = 1e-3
    recall: float = 0.25
    quantile: float | None = None
    spread: float | None = None
    unknown_spread: float = 0.3
    seed: int = 0
    forecasts: ClassVar[bool] = True
    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the placement, the layers independent of each other.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        self._check()
        view = outlook(problem, self.spread, self.unknown_spread)
        guess = problem.replace(forecast=view.expected(problem.planned_load))
        priced = problem.current is not None and problem.move_price is not None
        fixed = problem.dispatcher != "optimal" or problem.num_slots == problem.num_experts
        if fixed and problem.num_windows == 1:
            return Incremental()(guess) if priced else LocalSearch()(guess)
        start = LocalSearch()(guess)
        slots = np.empty_like(start.physical_to_logical)
        for layer in range(problem.num_layers):
            slots[layer] = self._layer(guess, view, start, layer)
        return Placement(slots, problem.num_ranks)

    def _layer(
        self, guess: Problem, view: Outlook, start: Placement, layer: int
    ) -> NDArray[np.int64]:
        """Return one layer's slots after all rounds, experts numbered by their load meanwhile."""
        # Experts by falling load: their names change nothing. number_of is the inverse.
        heaviest = np.argsort(-view.median[layer], kind="stable")
        number_of = np.argsort(heaviest)
        slowness = rank_slowness(guess).astype(np.float32)
        total = np.float32((1.0 / slowness).sum())  # tokens that take all ranks a time of 1
        starts = [number_of[start.physical_to_logical[layer]]]
        held = np.zeros((guess.num_ranks, guess.num_experts), dtype=np.bool_)
        price = 0.0
        # Times are in units of the layer's mean rank time, prices in tokens of the most loaded
        # rank.
        if guess.current is not None and guess.move_price:
            current = number_of[guess.current.physical_to_logical[layer]]
            held[np.arange(guess.num_slots) // guess.slots_per_rank, current] = True
            tokens = float(guess.planned_load[layer].sum())
            price = guess.move_price * float(total) / tokens if tokens > 0 else 0.0
            # The search keeps experts from being twice on a rank and must not start with one.
            if guess.current.duplicate_count[layer] == 0:
                starts.append(current)
        for number in range(self.rounds):
            # every layer meets the same chance, so that their order changes nothing
            generator = np.random.default_rng([self.seed, number])
            normal = generator.standard_normal((heaviest.size, -(-self.samples // 2)))
            draws = generator.random((self.iterations, 4))
            # Opposite deviates in pairs: their mean is exactly the guess, which lowers the noise.
            deviates = np.concatenate([normal, -normal], axis=1)
            loads = view.sample(layer, heaviest, deviates, self.recall)
            # Only the shape of the load is random: every sample has the same mean rank time, 1.
            loads *= total / loads.sum(axis=0)
            # Every round starts cooler: it refines the answer of the one before on fresh loads.
            setting = (self.warmth / (1 + number), -1.0 if self.quantile is None else self.quantile)
            bill = (held, price)
            sweeps = self.sweeps if guess.dispatcher == "optimal" else 0
            if len(starts) > 1:  # no move at all tells what a start is worth
                worth = [
                    anneal(slots, loads, slowness, sweeps, *setting, *bill, draws[:0])
                    for slots in starts
                ]
                starts = [starts[int(np.argmin(worth))]]
            anneal(starts[0], loads, slowness, sweeps, *setting, *bill, draws)
        return heaviest[starts[0]]

    def _check(self) -> None:
        for name, least in (("samples", 2), ("iterations", 0), ("rounds", 0), ("sweeps", 1)):
            checked_integer(getattr(self, name), name, at_least=least)
        checked_integer(self.seed, "seed", at_least=0)
        checked_number(self.warmth, "warmth", at_least=1e-9)
        checked_number(self.recall, "recall", at_least=0.0, at_most=1.0)
        checked_number(self.unknown_spread, "unknown_spread", at_least=0.0)
        if self.spread is not None:
            checked_number(self.spread, "spread", at_least=0.0)
        if self.quantile is not None:
            checked_number(self.quantile, "quantile", at_least=0.0, at_most=1.0)
