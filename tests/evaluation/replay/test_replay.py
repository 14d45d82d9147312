"""A replay is causal and complete, and charges every move."""

from dataclasses import replace

import numpy as np
import pytest

import lb
import traces
from evaluation.replay import scores
from evaluation.replay.replay import replay
from schedulers import make_rebalance


class Recorder:
    """A solver that remembers its problems."""

    def __init__(self):
        self.problems = []

    def __call__(self, problem):
        """Answer with the greedy solver."""
        self.problems.append(problem)
        return lb.solve(problem.replace(current=None, move_price=None), "greedy")


def test_solver_sees_the_past_only(trace, executor, deployment):
    """A change of later windows does not change the earlier problems."""
    future = trace.counts.copy()
    future[8:] = np.roll(future[8:], 17, axis=2)
    shown = []
    for counts in (trace.counts, future):
        solver = Recorder()
        replay(traces.RoutingTrace(counts, "toy", 6), executor, deployment, solver)
        shown.append(solver.problems)
    assert len(shown[0]) == 3
    for number in (0, 1):
        np.testing.assert_array_equal(shown[0][number].load, shown[1][number].load)
        np.testing.assert_array_equal(
            shown[0][number].load[-1], trace.windows(4)[number], "the window just ended"
        )


def test_history_is_oldest_first(trace, executor, deployment):
    """With a history of two windows, the solver sees up to two, the oldest first."""
    solver = Recorder()
    replay(trace, executor, replace(deployment, history_windows=2), solver)
    assert [problem.num_windows for problem in solver.problems] == [1, 2, 2]
    np.testing.assert_array_equal(solver.problems[2].load, trace.windows(4)[1:3])


def test_windows_are_complete(trace, executor, deployment):
    """Eighteen steps are four windows of four; the first is not scored, two steps are left out."""
    result = replay(trace, executor, deployment, lb.make("greedy"))
    assert len(result.step_s) == 12
    assert len(result.following) == len(result.fitted) == len(result.solve_s) == 3


def test_next_is_the_window_after(trace, executor, deployment):
    """A placement is scored by its balancedness on the window after those that the solver saw."""
    result = replay(trace, executor, deployment, lb.make("greedy"))
    windows = trace.windows(4)
    placement = lb.solve(lb.Problem(windows[0], 16, 5), "greedy")
    np.testing.assert_allclose(result.fitted[0], placement.balancedness(windows[0]))
    np.testing.assert_allclose(result.following[0], placement.balancedness(windows[1]))


def test_no_change_costs_nothing(trace, executor, deployment):
    """A solver that keeps the start-up placement moves nothing."""
    result = replay(trace, executor, deployment, lb.make("contiguous"))
    assert result.moves == [0, 0, 0]
    assert sum(result.migration_s) == 0


def test_migration_is_charged(trace, executor, deployment):
    """Half the bandwidth doubles the migration time and lowers the efficiency."""
    slow = replace(deployment, migration_bytes_per_s=deployment.migration_bytes_per_s / 2)
    results = [replay(trace, executor, each, lb.make("greedy")) for each in (deployment, slow)]
    assert sum(results[1].migration_s) == pytest.approx(2 * sum(results[0].migration_s))
    fast_row, slow_row = (scores.summary(log, executor, deployment) for log in results)
    assert slow_row["efficiency"] < fast_row["efficiency"] < 1
    assert fast_row["moved_bytes"] == sum(results[0].moves) * executor.expert_bytes


def test_stored_trace_gives_the_same(trace, executor, deployment, tmp_path):
    """A trace that is streamed from disk in small chunks replays like one in memory."""
    path = tmp_path / "trace.parquet"
    with traces.Writer(path) as writer:
        for start in range(0, 18, 5):
            writer.append(trace.slice(start, start + 5))
    in_memory = replay(trace, executor, deployment, lb.make("eplb"))
    streamed = replay(traces.open(path), executor, deployment, lb.make("eplb"))
    assert in_memory.step_s == streamed.step_s


def test_policy_decides(trace, executor, deployment):
    """Under a policy that never rebalances, the start-up placement is judged."""
    result = replay(trace, executor, deployment, lb.make("greedy"), policy=make_rebalance("never"))
    assert result.solve_s == []
    row = scores.summary(result, executor, deployment)
    assert row["slots_changed"] == 0
    assert row["balancedness_fitted"] == row["balancedness_next"]


def test_a_rebalance_that_moves_stops_the_engine(trace, executor, deployment):
    """A pause is charged once a rebalance, beside the transfer; none if nothing moves.

    Of 26 MoE layers of the model two are replayed, which are charged two parts of it.
    """
    stopping = replace(deployment, migration_pause_s=3.0)
    for solver, pauses in (("greedy", 1), ("contiguous", 0)):
        without, with_pause = (
            replay(trace, executor, rules, lb.make(solver)) for rules in (deployment, stopping)
        )
        expected = np.array(without.migration_s) + 3.0 * 2 / 26 * pauses
        np.testing.assert_allclose(with_pause.migration_s, expected)
        assert with_pause.step_s == without.step_s
        row = scores.summary(with_pause, executor, stopping)
        taken = sum(with_pause.step_s) + sum(with_pause.migration_s)
        assert row["migration_fraction"] == pytest.approx(sum(with_pause.migration_s) / taken)


def test_broken_dispatcher_is_named(trace, executor, deployment):
    """Shares that lose tokens raise an error."""
    with pytest.raises(ValueError, match="add up to 0"):
        replay(
            trace,
            executor,
            deployment,
            lb.make("greedy"),
            lambda placement, load: np.zeros_like(placement.even_share),
        )


def test_dispatcher_by_source_is_replayed(trace, executor, deployment):
    """Under a dispatcher by source, balancedness is that of evenly spread sources."""
    spacious = replace(deployment, slots_per_rank=8)
    split = lb.make_dispatcher("local-first", ranks_per_node=8)
    result = replay(trace, executor, spacious, lb.make("greedy"), split)
    windows = trace.windows(4)
    placement = lb.solve(lb.Problem(windows[0], 16, 8), "greedy")
    share = split(placement, windows[1]).mean(axis=1)
    np.testing.assert_allclose(result.following[0], placement.balancedness(windows[1], share))
    assert len(result.step_s) == 12


def test_too_short_a_trace_is_refused(trace, executor, deployment):
    """A trace with one window has no window to score."""
    with pytest.raises(ValueError, match="fewer than 2 windows of 4 steps"):
        replay(trace.slice(0, 7), executor, deployment, lb.make("greedy"))


def test_solvers_without_a_forecast_get_one(trace, executor, deployment):
    """The default forecast is the last window; a solver that forecasts itself gets none."""
    plain = Recorder()
    seen = replace(deployment, history_windows=2)
    replay(trace, executor, seen, plain)
    windows = trace.windows(4)
    np.testing.assert_array_equal(plain.problems[2].forecast, windows[2])
    mean = Recorder()
    replay(trace, executor, replace(seen, forecaster="mean"), mean)
    np.testing.assert_allclose(mean.problems[2].forecast, windows[1:3].mean(axis=0))
    own = Recorder()
    own.forecasts = True
    replay(trace, executor, seen, own)
    assert [problem.forecast for problem in own.problems] == [None] * 3


def test_a_solver_sees_dispatcher_price_and_loaded_placement(trace, executor, deployment):
    """The first loaded placement is the start-up layout: 64 experts in order on 80 slots."""
    solver = Recorder()
    replay(trace, executor, replace(deployment, dispatcher="optimal"), solver)
    for problem in solver.problems:
        assert problem.dispatcher == "optimal"
        assert problem.move_price > 0
        assert problem.objective == "tokens"
    first = solver.problems[0].current.physical_to_logical
    np.testing.assert_array_equal(first[0], np.arange(80) % 64)


def test_seconds_are_an_objective(trace, executor, deployment):
    """With the objective "seconds", a solver sees the cost, and local-search balances seconds."""
    solver = Recorder()
    seconds = replace(deployment, objective="seconds")
    replay(trace, executor, seconds, solver)
    problem = solver.problems[0]
    assert problem.objective == "seconds"
    assert problem.expert_cost[-1, 0] >= problem.load.max()
    load = problem.planned_load

    def slowest_s(placement):
        each = np.take_along_axis(load / placement.replica_count, placement.physical_to_logical, 1)
        cost = np.interp(each, *problem.expert_cost.T)
        return cost.reshape(2, 16, 5).sum(axis=2).max(axis=1).sum()

    by_seconds = lb.solve(problem, "local-search")
    by_tokens = lb.solve(problem.replace(expert_cost=None), "local-search")
    assert slowest_s(by_seconds) < slowest_s(by_tokens)


def test_fitted_is_the_last_window_under_the_dispatcher(trace, executor, deployment):
    """The fitted balance uses the last window, not the mean of the history, and the dispatcher."""
    optimal = replace(deployment, dispatcher="optimal", history_windows=3)
    result = replay(trace, executor, optimal, lb.make("greedy"))
    windows = trace.windows(4).astype(float)
    placement = lb.solve(lb.Problem(windows[2], 16, 5), "greedy")
    share = lb.make_dispatcher("optimal")(placement, windows[2])
    np.testing.assert_allclose(result.fitted[2], placement.balancedness(windows[2], share))


def test_memory_bound_steps_take_alike_under_both_objectives(executor, deployment):
    """If reading weights dominates, a plan in seconds is another one, and as fast."""
    skew = np.random.default_rng(0).lognormal(size=(2, 64))
    counts = np.repeat((1 + 20 * skew).astype(int)[None], 8, axis=0)
    steady = traces.RoutingTrace(counts, "toy", top_k=6)
    tokens, seconds = (
        replay(steady, executor, replace(deployment, objective=objective), lb.make("local-search"))
        for objective in ("tokens", "seconds")
    )
    assert not np.array_equal(tokens.fitted, seconds.fitted)
    np.testing.assert_allclose(seconds.step_s, tokens.step_s, rtol=1e-3)
    for result in (tokens, seconds):
        assert min(result.expert_balance) > 0.99
    start = replay(steady, executor, deployment, lb.make("contiguous"))
    assert max(start.expert_balance) < 0.97


def test_a_forecast_and_a_price_change_plans(trace, executor, deployment):
    """Another forecaster or more expensive moves change the plans."""
    seen = replace(deployment, history_windows=3)
    last, mean = (
        replay(trace, executor, replace(seen, forecaster=name), lb.make("greedy"))
        for name in ("last", "mean")
    )
    assert not np.array_equal(last.fitted[2], mean.fitted[2])
    expensive = replace(deployment, migration_bytes_per_s=1e6)
    moved = [
        sum(replay(trace, executor, rules, lb.make("incremental")).moves)
        for rules in (replace(deployment, migration_bytes_per_s=1e15), expensive)
    ]
    assert moved[0] > moved[1] == 0


def test_a_solver_that_writes_into_its_problem_gains_nothing(trace, executor, deployment):
    """A solver that changes its problem, or claims a balance of its own, gains nothing."""

    class Boasting(lb.Placement):
        def balancedness(self, load, share=None):
            return np.ones(self.num_layers)

        def moves_from(self, before):
            return np.zeros((self.num_layers, self.num_ranks), dtype=np.int64)

    def honest(problem):
        return lb.solve(problem, "greedy")

    def cheat(problem):
        answer = honest(problem)
        for array in (problem.load, problem.current.physical_to_logical):
            array.flags.writeable = True
        problem.load[:] = 1.0
        problem.current.physical_to_logical[:] = answer.physical_to_logical
        return Boasting(answer.physical_to_logical, answer.num_ranks)

    plain, cheated = (replay(trace, executor, deployment, solver) for solver in (honest, cheat))
    assert plain.moves == cheated.moves
    np.testing.assert_array_equal(plain.fitted, cheated.fitted)
    np.testing.assert_array_equal(plain.following, cheated.following)
