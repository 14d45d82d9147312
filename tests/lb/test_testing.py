"""The checks are checked: deliberately broken solvers must fail the right one."""

import random
import threading

import numpy as np
import pytest

import lb
import lb.testing
from lb.testing import CHECKS


def greedy_table(problem):
    """Return a writable copy of a good answer."""
    return lb.make("greedy")(problem).physical_to_logical.copy()


def loses_an_expert(problem):
    """Put expert 0 where expert 1 was."""
    table = greedy_table(problem)
    return lb.Placement(np.where(table == 1, 0, table), problem.num_ranks)


def leaves_a_slot_out(problem):
    """Return one slot a rank too few."""
    table = greedy_table(problem).reshape(problem.num_layers, problem.num_ranks, -1)[:, :, :-1]
    return lb.Placement(table.reshape(problem.num_layers, -1), problem.num_ranks)


def returns_an_array(problem):
    """Forget the type."""
    return greedy_table(problem)


def duplicates_on_a_rank(problem):
    """Sort the slots, so that copies of an expert are neighbours."""
    return lb.Placement(np.sort(greedy_table(problem), axis=1), problem.num_ranks)


def uses_global_randomness(problem):
    """Draw from the global generator."""
    table = greedy_table(problem)
    ranks = table.reshape(problem.num_layers, problem.num_ranks, -1)
    ranks = ranks[:, np.random.permutation(problem.num_ranks)]  # noqa: NPY002
    return lb.Placement(ranks.reshape(table.shape), problem.num_ranks)


def uses_another_global_randomness(problem):
    """Draw from the standard library's generator, without effect on the answer."""
    random.random()
    return lb.make("greedy")(problem)


class Unseeded:
    """Make a fresh generator from the clock."""

    def __call__(self, problem):
        """Shuffle the ranks."""
        ranks = greedy_table(problem).reshape(problem.num_layers, problem.num_ranks, -1)
        order = np.random.default_rng().permutation(problem.num_ranks)
        table = ranks[:, order].reshape(problem.num_layers, -1)
        return lb.Placement(table, problem.num_ranks)


class KeepsState:
    """Answer differently every second time."""

    def __init__(self):
        self.calls = 0

    def __call__(self, problem):
        """Count and alternate."""
        self.calls += 1
        return lb.make("random", seed=self.calls % 2)(problem)


class CountsQuietly(KeepsState):
    """Keep a count that changes no answer yet."""

    def __call__(self, problem):
        """Count."""
        self.calls += 1
        return lb.make("greedy")(problem)


class CannotBePickled:
    """Hold a lock."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, problem):
        """Answer well."""
        return lb.make("greedy")(problem)


def changes_the_problem(problem):
    """Write into the load."""
    problem.load.flags.writeable = True
    problem.load[0, 0, 0] += 1
    return lb.make("greedy")(problem)


def counts_whole_tokens(problem):
    """Round small loads away."""
    rounded = problem.replace(load=np.floor(problem.load / 8))
    return lb.make("greedy")(rounded)


def prefers_low_ids(problem):
    """Weigh an expert by its id."""
    weight = np.linspace(2, 1, problem.num_experts)
    return lb.make("greedy")(problem.replace(load=problem.load * weight))


def looks_at_layer_zero(problem):
    """Use the first layer's answer for all."""
    table = greedy_table(problem)
    return lb.Placement(np.tile(table[:1], (problem.num_layers, 1)), problem.num_ranks)


def ignores_its_budget(problem):
    """Promise what it does not keep."""
    return lb.make("greedy")(problem.replace(current=None, max_moves=None))


ignores_its_budget.honours = frozenset({"max_moves"})


def ignores_a_slow_rank(problem):
    """Promise to spare it, and do not."""
    return lb.make("greedy")(problem.replace(rank_speed=None))


ignores_a_slow_rank.honours = frozenset({"rank_speed"})


def overdoes_a_slow_rank(problem):
    """Spare it so much that the ranks next to it are left with everything."""
    speed = problem.rank_speed
    if speed is not None and len(set(speed.tolist())) > 1:
        speed = np.where(np.arange(speed.size) == speed.size - 1, 1e3, speed)
    return lb.make("greedy")(problem.replace(rank_speed=speed))


overdoes_a_slow_rank.honours = frozenset({"rank_speed"})


def takes_speed_for_tokens(problem):
    """Mix the unit of speed with that of load."""
    speed = problem.rank_speed
    return lb.make("greedy")(
        problem.replace(rank_speed=None if speed is None else speed**2 + speed)
    )


takes_speed_for_tokens.honours = frozenset({"rank_speed"})


def crashes_on_a_forecast(problem):
    """Take the forecast for another window."""
    windows = (
        problem.load if problem.forecast is None else np.stack([*problem.load, problem.forecast])
    )
    return lb.make("greedy")(problem.replace(load=windows.reshape(problem.load.shape)))


def crashes_on_a_cost(problem):
    """Look a cost up by tokens, in a table that ends before them."""
    if problem.expert_cost is not None:
        seconds = problem.expert_cost[problem.planned_load.astype(int) // 64, 1]
        return lb.make("greedy")(problem.replace(load=seconds, expert_cost=None))
    return lb.make("greedy")(problem)


def crashes_on_what_is_loaded(problem):
    """Expect a budget wherever something is loaded."""
    if problem.current is not None and problem.max_moves <= 0:
        return problem.current
    return lb.make("greedy")(problem)


def keeps_every_priced_move(problem):
    """Answer with the moves instead of the placement."""
    answer = lb.make("greedy")(problem)
    if problem.move_price is not None:
        return answer.moves_from(problem.current) * problem.move_price
    return answer


def confuses_source_and_expert(problem):
    """Add up the wrong axis."""
    if problem.source_load is not None:
        return lb.make("greedy")(problem.replace(load=problem.source_load.sum(axis=2)))
    return lb.make("greedy")(problem)


def changes_the_sources(problem):
    """Scale the tokens by source in place."""
    if problem.source_load is not None:
        problem.source_load.flags.writeable = True
        problem.source_load[:] = problem.source_load / 2
    return lb.make("greedy")(problem)


def crashes_on_no_load(problem):
    """Divide by the total."""
    if problem.total_load.sum() == 0:
        raise ZeroDivisionError("division by zero")
    return lb.make("greedy")(problem)


def balances_badly(problem):
    """Place the heaviest experts together."""
    negative = problem.total_load.max() + 1 - problem.total_load
    return lb.make("greedy")(problem.replace(load=negative))


BROKEN = [
    (loses_an_expert, "check_feasible"),
    (leaves_a_slot_out, "check_feasible"),
    (returns_an_array, "check_feasible"),
    (crashes_on_no_load, "check_feasible"),
    (crashes_on_a_forecast, "check_feasible"),
    (crashes_on_a_cost, "check_feasible"),
    (crashes_on_what_is_loaded, "check_feasible"),
    (keeps_every_priced_move, "check_feasible"),
    (confuses_source_and_expert, "check_feasible"),
    (duplicates_on_a_rank, "check_no_avoidable_duplicates"),
    (loses_an_expert, "check_load_conserved"),
    (uses_global_randomness, "check_deterministic"),
    (uses_another_global_randomness, "check_deterministic"),
    (Unseeded(), "check_deterministic"),
    (KeepsState(), "check_pure"),
    (CountsQuietly(), "check_pure"),
    (CannotBePickled(), "check_survives_pickling"),
    (changes_the_problem, "check_pure"),
    (changes_the_sources, "check_pure"),
    (counts_whole_tokens, "check_scale_invariance"),
    (prefers_low_ids, "check_expert_relabelling"),
    (looks_at_layer_zero, "check_layer_permutation"),
    (ignores_its_budget, "check_max_moves"),
    (ignores_a_slow_rank, "check_rank_speed"),
    (overdoes_a_slow_rank, "check_rank_speed"),
    (takes_speed_for_tokens, "check_rank_speed"),
    (balances_badly, "check_planted_optimum"),
]


@pytest.mark.parametrize(
    ("solver", "check"),
    BROKEN,
    ids=[f"{lb.testing.parametrize.solver_name(one)}-{check}" for one, check in BROKEN],
)
def test_broken_solver_fails_its_check(solver, check):
    """Each fault is found by the check that is there for it."""
    with pytest.raises(AssertionError):
        CHECKS[check](solver)
    with pytest.raises(AssertionError, match=check):
        lb.testing.check_solver(solver)


def test_every_check_catches_something():
    """No check is without a solver that fails it."""
    assert {check for _, check in BROKEN} == set(CHECKS)


def keeps_the_current(problem):
    """Honour any budget by doing nothing, where there is something to keep."""
    return problem.current or lb.make("greedy")(problem)


keeps_the_current.honours = frozenset({"max_moves"})


def test_kept_budget_passes():
    """A solver that honours its budget is not skipped, and passes."""
    outcome = lb.testing.check_solver(keeps_the_current)
    assert outcome["check_max_moves"] == "passed"


def test_local_function_may_be_checked():
    """A function inside another cannot be pickled, which is no fault of the solver."""

    def local(problem):
        return lb.make("greedy")(problem)

    outcome = lb.testing.check_solver(local)
    assert outcome["check_survives_pickling"].startswith("skipped")


def test_known_failure_must_still_fail():
    """The list of known failures stays true."""
    with pytest.raises(AssertionError, match="it passed, although listed as a known failure"):
        lb.testing.check_solver("greedy", known_failures={"check_pure": "not so"})
    with pytest.raises(ValueError, match="known_failures names no such check"):
        lb.testing.check_solver("greedy", known_failures={"check_mood": "none"})


def test_global_random_state_is_restored():
    """Checking disturbs the global state only while it runs."""
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    lb.testing.check_solver("greedy")
    drawn = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    assert drawn == (np.random.random(), random.random())  # noqa: NPY002
