"""Every registered dispatcher conforms; deliberately broken ones fail the right check."""

import random
import threading

import numpy as np
import pytest

import lb
import lb.testing
from lb.testing import DISPATCH_CHECKS, check_dispatcher


@pytest.mark.parametrize("name", ["even", "local-first", "optimal", "rotate"])
def test_conformance(name):
    """No check fails."""
    outcome = check_dispatcher(name)
    assert set(outcome) == set(DISPATCH_CHECKS)
    assert outcome["check_valid_shares"] == "passed"


def test_every_registered_dispatcher_is_checked():
    """A new registry line needs a new name in the test above."""
    assert lb.available_dispatchers() == ["even", "local-first", "optimal", "rotate"]


def test_promises_are_checked_and_others_skipped():
    """What is not promised is not asked for."""
    assert "skipped" not in "".join(check_dispatcher("optimal").values())
    rotate = check_dispatcher("rotate")
    assert rotate["check_dispatch_scale_invariance"].startswith("skipped: does not promise")


def loses_tokens(placement, load):
    """Split among one replica more than there are."""
    return placement.even_share * np.where(placement.even_share < 1, 0.9, 1)


def divides_by_the_load(placement, load):
    """Give NaN where there is no load."""
    slots = np.take_along_axis(load, placement.physical_to_logical, axis=1)
    with np.errstate(all="ignore"):
        return placement.even_share * slots / slots


def rounds_badly(placement, load):
    """Leave an error in the last digits, within the tolerance of valid shares."""
    return placement.even_share * (1 - 1e-12)


def changes_the_load(placement, load):
    """Sort in place."""
    load.sort(axis=1)
    return placement.even_share


def uses_global_randomness(placement, load):
    """Draw, without effect on the answer."""
    np.random.random()  # noqa: NPY002
    return placement.even_share


def uses_another_global_randomness(placement, load):
    """Draw from the standard library's generator."""
    random.random()
    return placement.even_share


class Forgetful:
    """Count calls, and lean to the first replica every second time."""

    def __init__(self):
        self.calls = 0

    def __call__(self, placement, load):
        """Alternate."""
        self.calls += 1
        return first_replica(placement) if self.calls % 2 else placement.even_share


class Locked:
    """Hold a lock."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, placement, load):
        """Answer well."""
        return placement.even_share


def first_replica(placement):
    """Return shares that leave the other replicas idle."""
    share = np.zeros_like(placement.even_share)
    np.put_along_axis(share, placement.logical_to_physical[:, :, 0], 1.0, axis=1)
    return share


def counts_tokens(placement, load):
    """Split evenly from a hundred tokens on, and claim that units do not matter."""
    return placement.even_share if load.max() > 100 else first_replica(placement)


def piles_up(placement, load):
    """Use the first replica only, and claim that nobody is hotter for it."""
    return first_replica(placement)


counts_tokens.promises = frozenset({"scale-invariant"})
piles_up.promises = frozenset({"never-hotter-than-even"})

BROKEN = [
    (loses_tokens, "check_valid_shares"),
    (divides_by_the_load, "check_valid_shares"),
    (rounds_badly, "check_single_replicas_take_all"),
    (changes_the_load, "check_dispatch_pure"),
    (Forgetful(), "check_dispatch_pure"),
    (uses_global_randomness, "check_dispatch_deterministic"),
    (uses_another_global_randomness, "check_dispatch_deterministic"),
    (Forgetful(), "check_dispatch_deterministic"),
    (Locked(), "check_dispatch_pickles"),
    (counts_tokens, "check_dispatch_scale_invariance"),
    (piles_up, "check_never_hotter_than_even"),
]


@pytest.mark.parametrize(("dispatcher", "check"), BROKEN)
def test_broken_dispatcher_fails_its_check(dispatcher, check):
    """Each fault is found by the check that is there for it."""
    with pytest.raises(AssertionError):
        DISPATCH_CHECKS[check](dispatcher)
    with pytest.raises(AssertionError, match=check):
        check_dispatcher(dispatcher)


def test_every_check_catches_something():
    """No check is without a dispatcher that fails it."""
    assert {check for _, check in BROKEN} == set(DISPATCH_CHECKS)


def test_local_function_may_be_checked():
    """A function inside another cannot be pickled, which is no fault of the dispatcher."""

    def local(placement, load):
        return placement.even_share

    assert check_dispatcher(local)["check_dispatch_pickles"].startswith("skipped")


def test_unknown_promises_are_refused():
    """A promise that no check knows is a slip of the pen."""

    def hopeful(placement, load):
        return placement.even_share

    hopeful.promises = frozenset({"scale invariant"})
    with pytest.raises(ValueError, match=r"promises names .'scale invariant'.; there are"):
        check_dispatcher(hopeful)
