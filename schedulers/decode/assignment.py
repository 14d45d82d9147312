"""Decode router: the optimal assignment of all waiting requests by OR-Tools, as a reference."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from schedulers.decode.mask_least_kv import mask_least_kv
from schedulers.views import HOLD, Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class Assignment:
    """Minimise the highest predicted load of the workers that get requests, by CP-SAT.

    Predicted load is key-value cache with reservations: ``kv_reserved`` and the prompts and
    expected outputs of new requests. Only workers that get a request count for the maximum, so a
    worker that is already full does not hide differences among the others. Those admitted are the
    ones that :func:`~schedulers.decode.mask_least_kv.mask_least_kv` serves, oldest first; the
    better of its answer and of greedy packing, largest first, is the solver's hint and the answer
    where the budget ends before anything better is found. What is held in this first pass gets a
    worker after all if one is open at the end. All of this is ours.

    Parameters
    ----------
    budget
        CP-SAT's deterministic seconds, about those of one current core; > 0.
    seed
        Seed of CP-SAT's own random choices, at least 0.
    """

    budget: float = 1.0
    seed: int = 0

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Return [requests] the worker of each, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If budget or seed is out of its range.
        ImportError
            If OR-Tools is not installed.
        """
        if not (self.budget > 0 and self.seed >= 0):
            raise ValueError(
                f"budget = {self.budget}, seed = {self.seed}; budget > 0 and seed >= 0 must hold"
            )
        try:
            from ortools.sat.python import cp_model
        except ImportError as error:
            raise ImportError(
                "decode router 'assignment' needs ortools: pip install 'podlab[ilp]'"
            ) from error
        chosen = mask_least_kv(requests, workers)
        admitted = np.flatnonzero(chosen != HOLD)
        # A single request is on the least loaded worker already.
        if len(admitted) < 2:
            return chosen
        packed = _largest_first(requests, workers, admitted)
        if packed is not None and _highest(requests, workers, packed) < _highest(
            requests, workers, chosen
        ):
            chosen = packed
        # At the bound, no assignment is better.
        if _highest(requests, workers, chosen) > _bound(requests, workers, admitted):
            chosen = self._solve(cp_model, requests, workers, chosen)
        return _fill(requests, workers, chosen)

    def _solve(self, cp_model: Any, requests: Requests, workers: Workers, hint: Ints) -> Ints:
        """Return the best reassignment of those that the hint serves, or the hint."""
        model = cp_model.CpModel()
        weighted_sum = cp_model.LinearExpr.weighted_sum
        admitted = np.flatnonzero(hint != HOLD)
        prompt = requests.prompt_tokens[admitted].tolist()
        size = (requests.prompt_tokens + requests.output_tokens)[admitted].tolist()
        # open_for asks for room for the first output token, too.
        free = (workers.kv_capacity - workers.kv_used - 1).tolist()
        places = (workers.request_limit - workers.running - workers.waiting).tolist()
        highest = model.new_int_var(0, _highest(requests, workers, hint), "")
        by_worker: dict[int, list[Any]] = {}
        for worker in np.flatnonzero(workers.open_for(0)).tolist():
            row = [model.new_bool_var("") for _ in size]
            # Whether the worker gets any request: only then does its load count.
            used = model.new_bool_var("")
            by_worker[worker] = row
            model.add(sum(row) <= min(places[worker], len(size)) * used)
            model.add(weighted_sum(row, prompt) <= free[worker])
            load = [*size, int(workers.kv_reserved[worker])]
            model.add(weighted_sum([*row, used], load) <= highest)
            model.add_hint(used, bool((hint == worker).any()))
            for variable, serves in zip(row, hint[admitted] == worker, strict=True):
                model.add_hint(variable, bool(serves))
        # Everybody who is admitted gets one worker.
        for column in zip(*by_worker.values(), strict=True):
            model.add_exactly_one(column)
        model.minimize(highest)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.interleave_search = True
        solver.parameters.random_seed = self.seed
        solver.parameters.max_deterministic_time = self.budget
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return hint
        answer = hint.copy()
        for worker, row in by_worker.items():
            serves = [solver.boolean_value(variable) for variable in row]
            answer[admitted[serves]] = worker
        return answer


def _largest_first(requests: Requests, workers: Workers, admitted: Ints) -> Ints | None:
    """Pack those admitted, largest first, where usage is lowest; ``None`` where one is left."""
    size = (requests.prompt_tokens + requests.output_tokens)[admitted]
    ordered = admitted[np.argsort(-size, kind="stable")]
    nothing = np.full(len(requests), HOLD, dtype=np.int64)
    packed = _fill(requests, workers, nothing, ordered)
    return None if (packed[admitted] == HOLD).any() else packed


def _fill(requests: Requests, workers: Workers, chosen: Ints, order: Ints | None = None) -> Ints:
    """Give those of ``order`` (all held ones, by age) the open worker of the lowest usage."""
    totals = Assigning(workers)
    prompt, output = requests.prompt_tokens.tolist(), requests.output_tokens.tolist()
    for index in np.flatnonzero(chosen != HOLD).tolist():
        totals.add(int(chosen[index]), prompt[index], output[index])
    filled = chosen.copy()
    for index in (np.flatnonzero(chosen == HOLD) if order is None else order).tolist():
        open_ones = totals.open_for(prompt[index])
        if open_ones.any():
            usage = np.where(open_ones, totals.kv_reserved, np.iinfo(np.int64).max)
            filled[index] = worker = int(usage.argmin())
            totals.add(worker, prompt[index], output[index])
    return filled


def _highest(requests: Requests, workers: Workers, chosen: Ints) -> int:
    """Return the highest predicted load of those workers that get a request."""
    served = chosen != HOLD
    load = workers.kv_reserved.copy()
    np.add.at(load, chosen[served], (requests.prompt_tokens + requests.output_tokens)[served])
    return int(load[chosen[served]].max())


def _bound(requests: Requests, workers: Workers, admitted: Ints) -> int:
    """Return a lower bound on the highest load: the largest request on the emptiest worker."""
    size = (requests.prompt_tokens + requests.output_tokens)[admitted]
    return int(size.max() + workers.kv_reserved[workers.open_for(0)].min())
