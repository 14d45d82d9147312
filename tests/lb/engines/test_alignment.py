"""Experts that stay on a rank keep their slots."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from lb.engines.alignment import aligned


def test_who_stays_keeps_the_slot():
    """Expert 1 goes back to slot 1, newcomers fill the rest in order."""
    wanted = lb.Placement([[1, 3, 4, 0, 2, 5]], num_ranks=2)
    result = aligned(wanted, [[0, 1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(result.physical_to_logical, [[3, 1, 4, 0, 2, 5]])


def test_empty_slots_match_nobody():
    """A negative number is an empty slot; the others still align."""
    wanted = lb.Placement([[2, 0, 1, 3]], num_ranks=2)
    result = aligned(wanted, [[0, -1, -1, -1]])
    np.testing.assert_array_equal(result.physical_to_logical, [[0, 2, 1, 3]])


def test_two_copies_on_a_rank_take_two_slots():
    """Each slot is matched by one copy only."""
    wanted = lb.Placement([[1, 0, 0, 2, 1, 0]], num_ranks=2)
    result = aligned(wanted, [[0, 2, 0, 1, 1, 0]])
    np.testing.assert_array_equal(result.physical_to_logical, [[0, 1, 0, 1, 2, 0]])


def test_other_shapes_do_not_align():
    """After a change of scale there is nothing to compare."""
    with pytest.raises(ValueError, match="slots align where layers and slots are the same"):
        aligned(lb.Placement([[0, 1]], 2), [[0, 1, 0, 1]])


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_ranks_hold_the_same_and_no_more_slots_change_than_must(ranks, width, seed):
    """Within a rank only the order changes, and every expert in common is in its old slot."""
    generator = np.random.default_rng(seed)
    experts = int(generator.integers(width, ranks * width + 1))
    problem = lb.Problem(generator.random((3, experts)), ranks, width)
    before = lb.solve(problem, "random", seed=1)
    wanted = lb.solve(problem, "random", seed=2)
    result = aligned(wanted, before.physical_to_logical)
    by_rank = (3, ranks, width)
    new, old, asked = (one.physical_to_logical.reshape(by_rank) for one in (result, before, wanted))
    np.testing.assert_array_equal(np.sort(new, axis=2), np.sort(asked, axis=2))
    assert (new != old).sum() == result.moves_from(before).sum()
