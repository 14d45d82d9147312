"""Solvers that would like to be scored for what they are not. Hangs and floods: see the sandbox."""

import contextlib
import sys

import numpy as np

import lb


def _honest(problem):
    return lb.solve(problem.replace(current=None, move_price=None, max_moves=None), "contiguous")


def all_zero(problem):
    """Every slot holds expert 0: published evaluators give this 76 of 100."""
    return lb.Placement(np.zeros((problem.num_layers, problem.num_slots), int), problem.num_ranks)


def all_zero_unchecked(problem):
    """The same past the constructor, which would refuse it."""
    answer = _honest(problem)
    object.__setattr__(answer, "physical_to_logical", np.zeros_like(answer.physical_to_logical))
    return answer


def expert_missing(problem):
    """The coldest expert's only slot goes to the hottest one."""
    table = _honest(problem).physical_to_logical.copy()
    load = problem.total_load
    for layer in range(problem.num_layers):
        table[layer][table[layer] == load[layer].argmin()] = load[layer].argmax()
    return lb.Placement(table, problem.num_ranks)


def expert_missing_unchecked(problem):
    """The same past the constructor, in one layer alone."""
    answer = _honest(problem)
    table = answer.physical_to_logical.copy()
    table[0][table[0] == 1] = 0
    object.__setattr__(answer, "physical_to_logical", table)
    return answer


def duplicate_everything(problem):
    """Each rank holds one expert in all of its slots, as often as there are ranks."""
    ranks, slots = problem.num_ranks, problem.slots_per_rank
    row = np.repeat(np.arange(ranks), slots)
    return lb.Placement(np.tile(row, (problem.num_layers, 1)), ranks)


def out_of_range(problem):
    """One id that is no expert's."""
    table = _honest(problem).physical_to_logical.copy()
    table[0, 0] = problem.num_experts
    return lb.Placement(table, problem.num_ranks)


def negative(problem):
    """An id that numpy would read from the end."""
    table = _honest(problem).physical_to_logical.copy()
    table[0, 0] = -1
    return lb.Placement(table, problem.num_ranks)


def one_layer_for_all(problem):
    """A placement of the first layer alone."""
    return lb.Placement(_honest(problem).physical_to_logical[:1], problem.num_ranks)


def more_slots(problem):
    """Every expert on every rank: balanced, but there is no room."""
    row = np.tile(np.arange(problem.num_experts), problem.num_ranks)
    return lb.Placement(np.tile(row, (problem.num_layers, 1)), problem.num_ranks)


def fewer_ranks(problem):
    """The same slots, on one rank that is always balanced."""
    return lb.Placement(_honest(problem).physical_to_logical, 1)


def not_a_number(problem):
    """A table of floats, one of them NaN."""
    table = _honest(problem).physical_to_logical.astype(float)
    table[0, 0] = np.nan
    return lb.Placement(table, problem.num_ranks)


def infinite(problem):
    """A table of floats, one of them infinite."""
    table = _honest(problem).physical_to_logical.astype(float)
    table[0, 0] = np.inf
    return lb.Placement(table, problem.num_ranks)


def no_placement(problem):
    """The bare table, which says no ranks."""
    return _honest(problem).physical_to_logical


def huge_baggage(problem):
    """A tuple in the manner of other evaluators, with a hundred megabytes of auxiliary data."""
    return _honest(problem), np.zeros(100_000_000, dtype=np.uint8)


def nothing(problem):
    """No answer."""


def raises(problem):
    """An error of its own."""
    raise RuntimeError("out of ideas")


def leaves(problem):
    """Ends the process, or would."""
    sys.exit(0)


def interrupts_by_recursion(problem):
    """Deeper than Python goes."""
    return interrupts_by_recursion(problem)


def changes_its_mind(problem):
    """Valid at first, and infeasible from the third window on."""
    if problem.current is not None and problem.num_windows > 2:
        return all_zero(problem)
    return _honest(problem)


#: Every one of them must be below the table.
CHEATS = [
    all_zero,
    all_zero_unchecked,
    changes_its_mind,
    duplicate_everything,
    expert_missing,
    expert_missing_unchecked,
    fewer_ranks,
    huge_baggage,
    infinite,
    interrupts_by_recursion,
    leaves,
    more_slots,
    negative,
    no_placement,
    not_a_number,
    nothing,
    one_layer_for_all,
    out_of_range,
    raises,
]


def writes_into_the_problem(problem):
    """Make the past look like what it answers, and the move free."""
    answer = lb.solve(problem, "greedy")
    with contextlib.suppress(ValueError):  # one window is a view, whose base is out of reach
        problem.load.flags.writeable = True
        problem.load[:] = 1.0
    if problem.current is not None:
        problem.current.physical_to_logical.flags.writeable = True
        problem.current.physical_to_logical[:] = answer.physical_to_logical
    return answer


class _Boasting(lb.Placement):
    """Always balanced, and never moved, it says."""

    def rank_load(self, load, share=None):
        """Return the same for all ranks."""
        return np.ones((*np.shape(load)[:-1], self.num_ranks))

    def balancedness(self, load, share=None):
        """Return perfection."""
        return np.ones(np.shape(load)[:-1])

    def moves_from(self, before):
        """Return none."""
        return np.zeros((self.num_layers, self.num_ranks), dtype=np.int64)


def boasts(problem):
    """A valid map in a class that judges itself."""
    answer = lb.solve(problem, "greedy")
    return _Boasting(answer.physical_to_logical, answer.num_ranks)


def fills_its_caches(problem):
    """A valid map whose derived values were written beforehand."""
    answer = lb.solve(problem, "greedy")
    for name in ("even_share", "replica_count", "duplicate_count"):
        answer.__dict__[name] = np.zeros_like(getattr(answer, name))
    return answer


#: These have a valid answer, and must score what that answer is worth: as much as `greedy`.
IN_VAIN = [boasts, fills_its_caches, writes_into_the_problem]
