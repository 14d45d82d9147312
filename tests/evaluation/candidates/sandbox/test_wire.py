"""Messages are unpacked as they were packed, and malformed ones are refused."""

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox import wire


def test_a_problem_crosses_whole():
    """Every field of a problem and its loaded table survive."""
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


def test_replacement_arrays_are_sent():
    """A given array replaces that of the problem."""
    asked = lb.Problem([[1, 2, 3, 4]], 2, 2)
    raw = wire.pack_problem(asked, {"load": np.array([[[4.0, 3, 2, 1]]])})
    arguments, loaded = wire.unpack_problem(raw)
    assert arguments["load"].tolist() == [[[4, 3, 2, 1]]]
    assert loaded is None


def test_a_table_crosses_with_its_order():
    """A table with an order of all layers has the largest size that is read."""
    table = np.arange(12).reshape(2, 6)
    raw = wire.pack_table(table, [1, 0])
    assert len(raw) == wire.max_answer_bytes((2, 6))
    unpacked, order = wire.unpack_table(raw, (2, 6))
    assert (unpacked == table).all()
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
    """Bytes of another shape, too few, too many, or with a wrong count are refused."""
    with pytest.raises(lb.Infeasible, match=rf"the answer is {len(raw)} bytes and no table"):
        wire.unpack_table(raw, (2, 6))


def test_texts_are_short_and_on_one_line():
    """Control characters and invalid bytes are replaced, and long texts are cut."""
    assert wire.unpack_text(b"a\n\x1b[31mb\xff\x00c") == "a [31mb\N{REPLACEMENT CHARACTER} c"
    assert len(wire.unpack_text(wire.pack_text("x" * 10**6))) == 2000
    assert len(wire.pack_text("ä" * 10**6)) == wire.MAX_TEXT_BYTES
