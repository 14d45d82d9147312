"""What crosses the pipe comes out as it went in, and nothing else comes out."""

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox import wire


def test_a_problem_crosses_whole():
    """Every field, and what is loaded beside it."""
    generator = np.random.default_rng(0)
    asked = lb.Problem(generator.integers(1, 9, (2, 3, 8)), 4, 3, ranks_per_node=2, expert_groups=4)
    asked = asked.replace(
        current=lb.solve(asked, "contiguous"),
        max_moves=5,
        rank_speed=[1.0, 2.0, 1.0, 1.0],
        coactivation=generator.random((3, 8, 8)),
        source_load=generator.random((3, 4, 8)),
        rank_distance=generator.random((4, 4)),
        forecast=generator.random((3, 8)),
        dispatcher="optimal",
        expert_cost=[[0, 0], [1, 2]],
        move_price=0.5,
    )
    arguments, loaded = wire.unpack_problem(wire.pack_problem(asked))
    assert (loaded == asked.current.physical_to_logical).all()
    again = lb.Problem(**arguments, current=lb.Placement(loaded, 4))
    for name in (*wire.SCALARS, *wire.ADVICE):
        assert getattr(again, name) == getattr(asked, name)
    for name in wire.ARRAYS:
        assert (getattr(again, name) == getattr(asked, name)).all()


def test_arrays_that_stand_in_are_sent():
    """In place of the problem's own."""
    asked = lb.Problem([[1, 2, 3, 4]], 2, 2)
    raw = wire.pack_problem(asked, {"load": np.array([[[4.0, 3, 2, 1]]])})
    arguments, loaded = wire.unpack_problem(raw)
    assert arguments["load"].tolist() == [[[4, 3, 2, 1]]]
    assert loaded is None


def test_a_table_crosses_with_its_order():
    """Up to the largest that is read."""
    table = np.arange(12).reshape(2, 6)
    raw = wire.pack_table(table, [1, 0])
    assert len(raw) == wire.most_bytes((2, 6))
    found, order = wire.unpack_table(raw, (2, 6))
    assert (found == table).all()
    assert order == [1, 0]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        bytes(11),
        wire.pack_table(np.zeros((6, 2), dtype=np.int64)),
        wire.pack_table(np.zeros((2, 6), dtype=np.int64))[:-1],
        wire.pack_table(np.zeros((2, 6), dtype=np.int64)) + b"0",
        wire.SHAPE.pack(2, 6, 2**31) + bytes(96),
    ],
)
def test_other_bytes_are_no_table(raw):
    """Another shape, too few, too many, or a count that lies."""
    with pytest.raises(lb.Infeasible, match=rf"the answer is {len(raw)} bytes and no table"):
        wire.unpack_table(raw, (2, 6))


def test_words_stay_on_one_line_and_short():
    """Whatever they are made of."""
    assert wire.unpack_words(b"a\n\x1b[31mb\xff\x00c") == "a [31mb\N{REPLACEMENT CHARACTER} c"
    assert len(wire.unpack_words(wire.pack_words("x" * 10**6))) == 2000
    assert len(wire.pack_words("ä" * 10**6)) == wire.MOST_WORDS
