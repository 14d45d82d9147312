"""Tokens stay near where a replica is near."""

import numpy as np
import pytest

import lb

# two nodes of two ranks; expert 0 on ranks 0 and 2, expert 1 on 0 and 1, expert 2 on 3, 3 on 1
PLACEMENT = lb.Placement([[0, 1, 1, 3, 0, 4, 2, 5]], 4)


def _share(ranks_per_node=2):
    split = lb.make_dispatcher("local-first", ranks_per_node=ranks_per_node)
    return lb.check_share(PLACEMENT, split(PLACEMENT, np.ones((1, 6))))[0]


def test_own_rank_then_node_then_all():
    """Ranks 0 and 2 serve themselves, each other's neighbour is served on its node."""
    share = _share()
    np.testing.assert_array_equal(share[:, [0, 4]], [[1, 0], [1, 0], [0, 1], [0, 1]])
    np.testing.assert_array_equal(share[:, [1, 2]], [[1, 0], [0, 1], [0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_array_equal(share[:, [3, 5, 6, 7]], np.ones((4, 4)))


def test_one_node_is_the_default():
    """Without nodes, ranks that hold no replica use all of them evenly."""
    share = _share(None)
    np.testing.assert_array_equal(share[:, [0, 4]], [[1, 0], [0.5, 0.5], [0, 1], [0.5, 0.5]])
    np.testing.assert_array_equal(share, _share(4))


def test_copies_on_one_rank_share_evenly():
    """Two copies on the source's rank take half each, a third elsewhere nothing."""
    placement = lb.Placement([[0, 0, 0, 1]], 2)
    share = lb.make_dispatcher("local-first")(placement, np.ones((1, 2)))
    np.testing.assert_array_equal(share[0, 0], [0.5, 0.5, 0, 1])


@pytest.mark.parametrize(("width", "text"), [(3, "does not divide 4 ranks"), (0, "0 < 1")])
def test_other_nodes_are_refused(width, text):
    """Nodes are whole."""
    with pytest.raises(ValueError, match=text):
        _share(width)
