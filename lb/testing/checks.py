"""Conformance checks of solvers. Each states one claim and raises AssertionError if it is false."""

import copy
import pickle
import random
import types
import unittest
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.bounds import balancedness_bound
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solve import honours
from lb.testing import instances


def _solve(solver: Solver, problem: Problem, where: str) -> Placement:
    """Return the checked answer; whatever the solver raises becomes a failure of the check."""
    try:
        return problem.check(solver(problem))
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error


def _answers(solver: Solver) -> Iterator[tuple[str, Problem, Placement]]:
    for name, make_problem in instances.INSTANCES.items():
        problem = make_problem()
        yield name, problem, _solve(solver, problem, f"instance {name!r}")


def _assert_same(one: Placement, other: Placement, what: str) -> None:
    differs = one.physical_to_logical != other.physical_to_logical
    assert not differs.any(), f"{what}: {differs.sum()} of {differs.size} slots differ"


def _rank_loads(placement: Placement, load: NDArray[np.float64]) -> NDArray[np.float64]:
    """[layers, ranks] loads in ascending order: what a placement is worth, whatever the names."""
    return np.sort(placement.rank_load(load), axis=1)


def check_feasible(solver: Solver) -> None:
    """Every slot is filled and every expert placed, in every layer of every instance."""
    for name, problem, placement in _answers(solver):
        # counted afresh from the map: a solver may return a subclass with its own ideas
        table = np.asarray(placement.physical_to_logical)
        wanted = (problem.num_layers, problem.num_slots)
        assert table.shape == wanted, f"{name}: map has shape {table.shape}, not {wanted}"
        for layer, row in enumerate(table):
            missing = sorted(set(range(problem.num_experts)) - set(row.tolist()))
            assert not missing, f"{name}: layer {layer} lacks experts {missing}"


def check_no_avoidable_duplicates(solver: Solver) -> None:
    """No expert sits twice on one rank; on every valid problem that can be avoided."""
    for name, problem, placement in _answers(solver):
        table = placement.physical_to_logical.reshape(-1, problem.slots_per_rank)
        for row, experts in enumerate(table):
            layer, rank = divmod(row, problem.num_ranks)
            ids = experts.tolist()
            twice = sorted({expert for expert in ids if ids.count(expert) > 1})
            assert not twice, f"{name}: layer {layer}, rank {rank} holds experts {twice} twice"


def check_load_conserved(solver: Solver) -> None:
    """The ranks compute exactly the tokens that were routed, and no balance beats the bound."""
    for name, problem, placement in _answers(solver):
        load = problem.total_load
        on_ranks = placement.rank_load(load).sum(axis=1)
        assert np.allclose(on_ranks, load.sum(axis=1), rtol=1e-9), (
            f"{name}: tokens lost or invented"
        )
        bound = balancedness_bound(load, problem.num_ranks, problem.slots_per_rank)
        above = placement.balancedness(load) > bound * (1 + 1e-9)
        assert not above.any(), f"{name}: balancedness above its upper bound"


def check_deterministic(solver: Solver) -> None:
    """The same problem gets the same answer, whatever the global random state, left as it was."""
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        for make_problem in instances.INSTANCES.values():
            answers = []
            for seed in (1, 2):
                np.random.seed(seed)  # noqa: NPY002
                random.seed(seed)
                before = _global_random_state()
                answers.append(_solve(solver, make_problem(), "called again"))
                assert _global_random_state() == before, (
                    "the global random state was used; make a numpy.random.Generator from a seed"
                )
            _assert_same(answers[0], answers[1], "two calls with one problem")
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])


def _global_random_state() -> bytes:
    return pickle.dumps((np.random.get_state(), random.getstate()))  # noqa: NPY002


def check_survives_pickling(solver: Solver) -> None:
    """A pickled and restored solver answers like the original, from a restored problem too."""
    if isinstance(solver, types.FunctionType) and "<" in solver.__qualname__:
        raise unittest.SkipTest("a function inside another cannot be pickled in Python")
    try:
        restored = pickle.loads(pickle.dumps(solver))
    except Exception as error:
        raise AssertionError(f"cannot be pickled: {type(error).__name__}: {error}") from error
    problem = instances.generic()
    restored_problem = pickle.loads(pickle.dumps(problem))
    answer = _solve(solver, problem, "the original")
    _assert_same(answer, _solve(restored, problem, "restored"), "after pickling")
    _assert_same(answer, _solve(solver, restored_problem, "restored problem"), "problem pickled")


def check_pure(solver: Solver) -> None:
    """The problem is left as it was, and what was asked before changes no answer."""
    for name in ("forecast", "expert-cost", "move-price", "traffic"):
        stated = instances.INSTANCES[name]()
        given = _contents(stated)
        _solve(solver, stated, f"instance {name!r}")
        assert _contents(stated) == given, f"the problem {name!r} was changed"
    problem = instances.generic()
    before = _contents(problem)
    fields = copy.deepcopy(getattr(solver, "__dict__", {}))
    first = _solve(solver, problem, "first call")
    assert _contents(problem) == before, "the problem was changed"
    _solve(solver, instances.generic(seed=12), "another problem")
    _solve(solver, instances.INSTANCES["several-windows"](), "a problem of another shape")
    _assert_same(first, _solve(solver, problem, "again"), "after other problems in between")
    after = getattr(solver, "__dict__", {})
    assert _contents(fields) == _contents(after), "the solver keeps state between calls"


def _contents(value: Any) -> bytes:
    fields = value.__dict__ if isinstance(value, Problem) else value
    derived = ("total_load", "planned_load")  # computed when first asked for
    kept = {name: field for name, field in fields.items() if name not in derived}
    return repr(sorted((name, _plain(field)) for name, field in kept.items())).encode()


def _plain(field: Any) -> Any:
    if isinstance(field, Placement):
        field = field.physical_to_logical
    return (field.shape, field.tobytes()) if isinstance(field, np.ndarray) else repr(field)


def check_scale_invariance(solver: Solver) -> None:
    """Counting tokens in other units changes nothing: powers of two lose no digit."""
    for name in ("lognormal", "zipf", "uneven-experts"):
        problem = instances.INSTANCES[name]()
        answer = _solve(solver, problem, name)
        for exponent in (-40, 12):
            scaled = problem.replace(load=np.ldexp(problem.load, exponent))
            other = _solve(solver, scaled, f"{name} x 2^{exponent}")
            _assert_same(answer, other, f"{name} x 2^{exponent}")


def check_expert_relabelling(solver: Solver) -> None:
    """Other expert ids give the same rank loads, on loads without ties."""
    problem = instances.generic()
    loads = _rank_loads(_solve(solver, problem, "as given"), problem.total_load)
    for seed in (1, 2):
        names = np.random.default_rng(seed).permutation(problem.num_experts)
        renamed = problem.replace(load=problem.load[:, :, names])
        answer = _solve(solver, renamed, "experts relabelled")
        same = np.allclose(_rank_loads(answer, renamed.total_load), loads, rtol=1e-9)
        assert same, "rank loads depend on the ids of the experts"


def check_layer_permutation(solver: Solver) -> None:
    """Layers in another order give the same answer layer by layer."""
    problem = instances.generic()
    order = np.random.default_rng(3).permutation(problem.num_layers)
    answer = _solve(solver, problem, "as given").physical_to_logical[order]
    shuffled = problem.replace(load=problem.load[:, order])
    other = _solve(solver, shuffled, "layers permuted")
    _assert_same(Placement(answer, problem.num_ranks), other, "layers permuted")


def check_max_moves(solver: Solver) -> None:
    """A solver that honours ``max_moves`` never exceeds it; a budget of 0 keeps what is there."""
    if "max_moves" not in honours(solver):
        raise unittest.SkipTest("does not claim to honour max_moves")
    for budget in (0, 1, 7, 1000):
        problem = instances.with_budget(budget)
        assert problem.current is not None
        # asked without the budget's own guard, so that the claim is judged and not the guard
        answer = solver(problem)
        moves = int(answer.moves_from(problem.current).sum())
        assert moves <= budget, f"{moves} moves > max_moves = {budget}"


def check_rank_speed(solver: Solver) -> None:
    """A solver that honours ``rank_speed`` spares a slow rank, to the profit of the whole layer.

    One rank of four has a quarter, or 4/5, of the others' speed. It gets less than an even part of
    the tokens, and no layer takes longer than under the answer that takes all ranks for equal. The
    unit of speed is nobody's business: twice the speeds give the same answer.
    """
    if "rank_speed" not in honours(solver):
        raise unittest.SkipTest("does not claim to honour rank_speed")
    alike = _solve(solver, instances.generic(), "equal ranks")
    for slow in (0.25, 0.8):
        problem = instances.with_slow_rank(slow)
        speed = problem.rank_speed
        assert speed is not None
        answer = _solve(solver, problem, f"one rank of speed {slow}")
        tokens = answer.rank_load(problem.planned_load)
        part = tokens[:, 0] / tokens.mean(axis=1)
        assert (part < 1).all(), f"the rank of speed {slow} gets {part.max():.3f} of the mean"
        unaware = (alike.rank_load(problem.planned_load) / speed).max(axis=1)
        slower = np.flatnonzero((tokens / speed).max(axis=1) > unaware * (1 + 1e-9)).tolist()
        assert not slower, f"speed {slow}: layers {slower} take longer than if it were not told"
        faster = _solve(solver, problem.replace(rank_speed=2 * speed), "speeds doubled")
        _assert_same(answer, faster, "speeds doubled")


def check_planted_optimum(solver: Solver) -> None:
    """Perfect balance is found where longest-first placing must; elsewhere 3/4 of it at least.

    Longest-first placing is within 4/3 of the optimum (Graham 1969, SIAM Journal on Applied
    Mathematics 17(2), doi:10.1137/0117039), so a balancer below 3/4 is worse than that rule.
    """
    for name, problem in instances.planted().items():
        reached = _solve(solver, problem, name).balancedness(problem.total_load).min()
        assert reached > 1 - 1e-9, f"planted {name!r}: balancedness {reached:.4f} where 1 exists"
    for seed in range(4):
        problem = instances.planted_partition(seed)
        reached = _solve(solver, problem, "partition").balancedness(problem.total_load).min()
        assert reached >= 0.75, f"planted partition {seed}: balancedness {reached:.4f} < 3/4"
