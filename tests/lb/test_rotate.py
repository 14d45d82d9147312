"""The rotation by table, and the law that stands for it where tokens are not known."""

import numpy as np
import pytest

import lb
from lb.dispatchers.rotate import rotation_counts, rotation_slots

PLACEMENT = lb.Placement([[0, 1, 1, 2, 1, 0], [0, 1, 2, 0, 1, 2]], 3)


def test_the_table_rule():
    """Replica = position modulo copies, replicas numbered by slot."""
    ids = [[[0], [2]], [[1], [2]], [[1], [2]], [[2], [0]]]
    slots = rotation_slots(ids, PLACEMENT)[:, :, 0]
    np.testing.assert_array_equal(slots, [[0, 2], [2, 5], [4, 2], [3, 3]])
    counts = rotation_counts(ids, PLACEMENT)
    np.testing.assert_array_equal(counts, [[1, 0, 1, 1, 1, 0], [0, 0, 2, 1, 0, 1]])


def test_positions_of_several_batches():
    """Every rank counts its own batch from 0."""
    ids = np.zeros((4, 2, 1), dtype=int)
    np.testing.assert_array_equal(rotation_counts(ids, PLACEMENT)[0, [0, 5]], [2, 2])
    own = rotation_counts(ids, PLACEMENT, position=[0, 0, 0, 1])
    np.testing.assert_array_equal(own[0, [0, 5]], [3, 1])


def test_the_law_matches_the_table_on_random_routing():
    """Mean and variance of a replica's tokens, given how many chose the expert, are multinomial.

    Tokens choose one of 32 experts at random. Of n that choose one with 3 copies, each replica gets
    n / 3 on average with variance n (1/3) (2/3), less the factor 1 - n / tokens, here 31 / 32.
    """
    generator = np.random.default_rng(0)
    table = np.concatenate([np.arange(32), np.arange(16), np.arange(16)])
    placement = lb.Placement(table[None], 8)
    tokens, batches = 960, 400
    by_table, by_law = [], []
    for batch in range(batches):
        ids = generator.integers(0, 32, (tokens, 1, 1))
        load = np.bincount(ids.ravel(), minlength=32)[None].astype(float)
        share = lb.make_dispatcher("rotate", seed=batch)(placement, load)
        expected = load[0, :16] / 3
        spread = np.sqrt(load[0, :16] * 2 / 9)
        slots = placement.logical_to_physical[0, :16]
        drawn = share[0, slots] * load[0, :16, None]
        by_table.append(((rotation_counts(ids, placement)[0, slots].T - expected) / spread).T)
        by_law.append(((drawn.T - expected) / spread).T)
    for standard, variance in ((np.array(by_table), 31 / 32), (np.array(by_law), 1.0)):
        # 6,400 draws of each copy: standard errors 0.0125 of a mean, 0.018 of a variance
        assert np.abs(standard.mean(axis=(0, 1))).max() < 0.05
        assert standard.var(axis=(0, 1)) == pytest.approx(np.full(3, variance), abs=0.07)
    correlation = np.corrcoef(np.array(by_law)[..., 0].ravel(), np.array(by_law)[..., 1].ravel())
    assert correlation[0, 1] == pytest.approx(-0.5, abs=0.05)  # what one gets the others lack


def test_draws_are_whole_tokens():
    """Shares of whole loads are whole tokens that add up; a fraction is drawn as one token more."""
    load = np.array([[7.0, 10.0, 4.0], [1.0, 0.0, 2.5]])
    share = lb.check_share(PLACEMENT, lb.make_dispatcher("rotate")(PLACEMENT, load))
    total = np.ceil(np.take_along_axis(load, PLACEMENT.physical_to_logical, axis=1))
    np.testing.assert_allclose(share * total, np.round(share * total), atol=1e-9)
    np.testing.assert_array_equal(np.sort(share[1, [0, 3]]), [0, 1])
    np.testing.assert_array_equal(share[1, [1, 4]], [0.5, 0.5])


def test_seed_and_load_decide():
    """Other seeds and other loads give other draws; nothing else does."""
    load = np.full((2, 3), 1000.0)
    one = lb.make_dispatcher("rotate")(PLACEMENT, load)
    np.testing.assert_array_equal(one, lb.make_dispatcher("rotate", seed=0)(PLACEMENT, load))
    np.testing.assert_array_equal(one, lb.make_dispatcher("rotate")(PLACEMENT, load.astype(int)))
    assert (one != lb.make_dispatcher("rotate", seed=1)(PLACEMENT, load)).any()
    load[1, 2] += 1
    assert (one[0] != lb.make_dispatcher("rotate")(PLACEMENT, load)[0]).any()


def test_too_many_tokens_to_count_are_split_evenly():
    """From 2 ** 53 tokens on."""
    share = lb.make_dispatcher("rotate")(PLACEMENT, np.full((2, 3), 2.0**53))
    np.testing.assert_array_equal(share, PLACEMENT.even_share)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: lb.make_dispatcher("rotate", seed=-1)(PLACEMENT, np.ones((2, 3))), "seed = -1"),
        (lambda: lb.make_dispatcher("rotate")(PLACEMENT, np.ones((1, 3))), "give .2 layers, 3"),
        (lambda: lb.make_dispatcher("rotate")(PLACEMENT, -np.ones((2, 3))), "expert 0 is -1"),
        (lambda: rotation_counts([[[0], [3]]], PLACEMENT), "names expert 3, outside 0 <= id < 3"),
        (lambda: rotation_counts([[[0]]], PLACEMENT), "give integers .tokens, 2 layers, k"),
        (lambda: rotation_counts([[[0], [1]]], PLACEMENT, [-1]), "1 integers >= 0"),
    ],
)
def test_bad_input_is_refused(call, text):
    """The error names the value and how to fix it."""
    with pytest.raises(ValueError, match=text):
        call()
