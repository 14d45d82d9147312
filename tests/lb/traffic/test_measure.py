"""Copies between nodes, counted by hand."""

import numpy as np
import pytest

import lb
import traces
from lb.traffic import coactivation, cross_node_tokens, measure, node_copies

# two nodes of two ranks, two slots a rank; expert 0 on ranks 0 and 2
PLACEMENT = lb.Placement([[0, 1, 2, 3, 0, 4, 5, 6]], 4)


def test_tokens_cross_where_no_replica_is_near():
    """Half of expert 0's tokens cross under the even split, none under local-first."""
    source_load = np.zeros((1, 4, 7))
    source_load[0, 0, 0] = 8  # from rank 0, on the first node
    source_load[0, 3, 4] = 5  # from rank 3 to rank 2, on the second
    source_load[0, 3, 1] = 2  # from rank 3 to rank 0
    assert cross_node_tokens(PLACEMENT, source_load, 2) == [4 + 2]
    local = lb.make_dispatcher("local-first", ranks_per_node=2)(PLACEMENT, np.ones((1, 7)))
    assert cross_node_tokens(PLACEMENT, source_load, 2, local) == [2]
    assert cross_node_tokens(PLACEMENT, source_load, 4) == [0]
    assert cross_node_tokens(PLACEMENT, source_load, 1) == [4 + 5 + 2]


def test_a_node_gets_one_copy_of_a_token():
    """Experts 1 and 2 share a node; 0 rotates by position."""
    ids = np.array([[[1, 2]], [[1, 4]], [[0, 5]], [[0, 5]]])
    assert node_copies(ids, PLACEMENT, 2) == [1 + 2 + 2 + 1]
    assert node_copies(ids, PLACEMENT, 2, source_rank=[0, 1, 3, 2]) == [0 + 1 + 1 + 0]


def test_coactivation_counts_pairs(monkeypatch):
    """Symmetric, single choices on the diagonal; in pieces as at once."""
    ids = np.array([[[0, 1]], [[1, 2]], [[0, 1]]])
    pairs = [[[2, 2, 0], [2, 3, 1], [0, 1, 1]]]
    np.testing.assert_array_equal(coactivation(ids, 3), pairs)
    monkeypatch.setattr(measure, "CHUNK", 2)
    np.testing.assert_array_equal(coactivation(ids, 3), pairs)


def test_coactivation_of_a_recorded_trace():
    """Every token of the bundled trace pairs its six experts."""
    trace = traces.load("dsv2lite-intent")
    counts = coactivation(trace.experts[:500], trace.num_experts)
    assert (counts.sum(axis=(1, 2)) == 500 * trace.top_k**2).all()
    np.testing.assert_array_equal(counts, counts.swapaxes(1, 2))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cross_node_tokens(PLACEMENT, np.ones((1, 2, 7)), 2), "give .1 layers, 4 ranks"),
        (lambda: cross_node_tokens(PLACEMENT, np.ones((1, 4, 7)), 3), "3 does not divide 4 ranks"),
        (lambda: cross_node_tokens(PLACEMENT, -np.ones((1, 4, 7)), 2), "source_load at layer 0"),
        (lambda: node_copies([[[0]]], PLACEMENT, 2, [4]), "outside 0 <= rank < 4"),
        (lambda: node_copies([[[0]]], PLACEMENT, 2, [0, 1]), "1 integers, one a token"),
        (lambda: node_copies([[[7]]], PLACEMENT, 2), "names expert 7"),
        (lambda: coactivation([[[0, 3]]], 3), "names expert 3, outside 0 <= id < 3"),
        (lambda: coactivation([[0, 3]], 3), "tokens, layers, k"),
    ],
)
def test_bad_input_is_refused(call, text):
    """The error names the value and how to fix it."""
    with pytest.raises(ValueError, match=text):
        call()
