"""Conformance checks of dispatchers: one claim each, and one call for all of them.

In pytest, one test for every check::

    @pytest.mark.parametrize("check", DISPATCH_CHECKS.values(), ids=DISPATCH_CHECKS)
    def test_conformance(check):
        check(my_dispatcher)
"""

import pickle
import random
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.dispatch import check_share, slot_share
from lb.placement import Placement
from lb.protocols import Dispatcher
from lb.solvers.random import Random
from lb.testing import instances
from lb.testing.outcomes import outcomes

Array = NDArray[np.float64]

#: What a dispatcher may say that it keeps, in an attribute ``promises``.
PROMISES = ("scale-invariant", "never-hotter-than-even")


def dispatch_instances() -> Iterator[tuple[str, Placement, Array]]:
    """Yield name, placement and load [layers, experts]: those of the solvers, and odd ones."""
    for name, make_problem in instances.INSTANCES.items():
        problem = make_problem()
        yield name, Random(seed=3)(problem), problem.total_load.copy()
    yield "whole-tokens", Random(seed=5)(instances.generic()), np.floor(instances.generic().load[0])
    yield (
        "copies-on-one-rank",
        Placement(np.array([[0, 0, 1, 2, 1, 1]]), 2),
        np.array([[7.0, 5.0, 2.0]]),
    )
    yield "less-than-a-token", Placement(np.array([[0, 1, 1, 0]]), 2), np.array([[0.25, 1e-300]])
    yield "very-many-tokens", Placement(np.array([[0, 1, 1, 0]]), 2), np.array([[1e18, 1e300]])


def _shares(dispatcher: Dispatcher, placement: Placement, load: Array, where: str) -> Array:
    """Return the checked answer; whatever goes wrong becomes a failure of the check."""
    try:
        return check_share(placement, dispatcher(placement, load))
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error


def _assert_same(one: Array, other: Array, what: str) -> None:
    assert one.shape == other.shape, f"{what}: shares of shape {one.shape} and {other.shape}"
    assert (one == other).all(), f"{what}: {(one != other).sum()} of {one.size} shares differ"


def check_valid_shares(dispatcher: Dispatcher) -> None:
    """On every instance the shares are not negative and add up to 1 over an expert's replicas."""
    for name, placement, load in dispatch_instances():
        _shares(dispatcher, placement, load, name)


def check_single_replicas_take_all(dispatcher: Dispatcher) -> None:
    """The only replica of an expert takes exactly 1, no rounding error less."""
    for name, placement, load in dispatch_instances():
        share = _shares(dispatcher, placement, load, name)
        copies = np.take_along_axis(placement.replica_count, placement.physical_to_logical, axis=1)
        by_source = share if share.ndim == 3 else share[:, None, :]
        alone = by_source.swapaxes(0, 1)[:, copies == 1]
        assert (alone == 1).all(), f"{name}: an only replica takes {alone[alone != 1][0]!r}"


def check_dispatch_pure(dispatcher: Dispatcher) -> None:
    """Placement and load are left as they were, and what was asked before changes no answer."""
    cases = list(dispatch_instances())
    fields = repr(sorted(getattr(dispatcher, "__dict__", {}).items()))
    first = []
    for name, placement, load in cases:
        table, tokens = placement.physical_to_logical.copy(), load.copy()
        answer = _shares(dispatcher, placement, load, name)
        assert (placement.physical_to_logical == table).all(), f"{name}: the placement was changed"
        assert (load == tokens).all(), f"{name}: the load was changed"
        even = 1.0 / np.take_along_axis(placement.replica_count, table, axis=1)
        assert (placement.even_share == even).all(), f"{name}: the placement's shares were changed"
        first.append(answer.copy())
    for (name, placement, load), before in zip(reversed(cases), reversed(first), strict=True):
        fresh = Placement(placement.physical_to_logical, placement.num_ranks)
        _assert_same(_shares(dispatcher, fresh, load, name), before, f"{name}, asked again")
    after = repr(sorted(getattr(dispatcher, "__dict__", {}).items()))
    assert fields == after, "the dispatcher keeps state between calls"


def check_dispatch_deterministic(dispatcher: Dispatcher) -> None:
    """Equal questions get equal answers, whatever the global random state, left as it was."""
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        for name, placement, load in dispatch_instances():
            answers = []
            for seed in (1, 2):
                np.random.seed(seed)  # noqa: NPY002
                random.seed(seed)
                before = _global_random_state()
                answers.append(_shares(dispatcher, placement, load, name).copy())
                assert _global_random_state() == before, (
                    "the global random state was used; make a numpy.random.Generator from a seed"
                )
            _assert_same(answers[0], answers[1], f"{name}, two calls")
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])


def _global_random_state() -> bytes:
    return pickle.dumps((np.random.get_state(), random.getstate()))  # noqa: NPY002


def check_dispatch_pickles(dispatcher: Dispatcher) -> None:
    """A pickled and restored dispatcher answers like the original, on a restored placement too."""
    if isinstance(dispatcher, types.FunctionType) and "<" in dispatcher.__qualname__:
        raise unittest.SkipTest("a function inside another cannot be pickled in Python")
    try:
        restored = pickle.loads(pickle.dumps(dispatcher))
    except Exception as error:
        raise AssertionError(f"cannot be pickled: {type(error).__name__}: {error}") from error
    for name, placement, load in dispatch_instances():
        answer = _shares(dispatcher, placement, load, name)
        again = pickle.loads(pickle.dumps(placement))
        _assert_same(answer, _shares(restored, again, load, name), f"{name}, restored")


def check_dispatch_scale_invariance(dispatcher: Dispatcher) -> None:
    """A dispatcher that promises it gives the same shares in other units of load."""
    _skip_unless_promised(dispatcher, "scale-invariant")
    for name, placement, load in dispatch_instances():
        if name in ("less-than-a-token", "very-many-tokens"):
            continue  # their powers of two leave the range of float64
        answer = _shares(dispatcher, placement, load, name).copy()
        for exponent in (-40, 12):
            other = _shares(dispatcher, placement, np.ldexp(load, exponent), name)
            _assert_same(answer, other, f"{name} x 2^{exponent}")


def check_never_hotter_than_even(dispatcher: Dispatcher) -> None:
    """A dispatcher that promises it has no hotter rank than the even split, in any layer."""
    _skip_unless_promised(dispatcher, "never-hotter-than-even")
    for name, placement, load in dispatch_instances():
        share = slot_share(placement, _shares(dispatcher, placement, load, name))
        peak = placement.rank_load(load, share).max(axis=1)
        even = placement.rank_load(load).max(axis=1)
        worse = peak > even * (1 + 1e-9)
        assert not worse.any(), f"{name}: peak {peak[worse][0]:g} > {even[worse][0]:g} when even"


def _skip_unless_promised(dispatcher: Dispatcher, promise: str) -> None:
    if promise not in getattr(dispatcher, "promises", ()):
        raise unittest.SkipTest(f"does not promise to be {promise}")


#: All checks by name, in the order they run.
DISPATCH_CHECKS: dict[str, Callable[[Dispatcher], None]] = {
    check.__name__: check
    for check in (
        check_valid_shares,
        check_single_replicas_take_all,
        check_dispatch_pure,
        check_dispatch_deterministic,
        check_dispatch_pickles,
        check_dispatch_scale_invariance,
        check_never_hotter_than_even,
    )
}


def check_dispatcher(dispatcher: str | Dispatcher) -> dict[str, str]:
    """Run every check on ``dispatcher``.

    Parameters
    ----------
    dispatcher
        A registered name or any callable from placement and load to shares.

    Returns
    -------
    dict
        Name of each check to "passed" or "skipped: …".

    Raises
    ------
    AssertionError
        Listing every check that failed.
    ValueError
        If the name is unknown, or ``promises`` names what is none of :data:`PROMISES`.
    """
    candidate: Any = dispatcher
    if isinstance(dispatcher, str):
        from lb import make_dispatcher

        candidate = make_dispatcher(dispatcher)
    unknown = sorted(set(getattr(candidate, "promises", ())) - set(PROMISES))
    if unknown:
        raise ValueError(f"promises names {unknown}; there are {', '.join(PROMISES)}")
    return outcomes(DISPATCH_CHECKS, candidate, "dispatcher", caught=AssertionError)
