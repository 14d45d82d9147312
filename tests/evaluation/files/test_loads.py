"""Loads are read from files and traces; the tests of commands cover every kind of file."""

import numpy as np
import pytest

import traces
from evaluation.files import loads

COUNTS = np.arange(48).reshape(4, 2, 6)


@pytest.mark.parametrize(
    ("arrays", "shape"),
    [
        ({"any": COUNTS}, (4, 2, 6)),
        ({"load": COUNTS[0], "rank": COUNTS[0, 0]}, (2, 6)),
        ({"logical_count": COUNTS, "rank": COUNTS[0, 0]}, (4, 2, 6)),
    ],
)
def test_the_array_of_an_archive(tmp_path, arrays, shape):
    """The array of an archive is the only one, or the one with a known name."""
    np.savez(tmp_path / "a.npz", **arrays)
    assert loads.read(str(tmp_path / "a.npz")).shape == shape


@pytest.mark.parametrize("names", [(), ("first", "second"), ("load", "logical_count")])
def test_an_archive_without_a_clear_array_is_refused(tmp_path, names):
    """An archive with several unknown arrays, or none, is refused."""
    np.savez(tmp_path / "a.npz", **dict.fromkeys(names, COUNTS))
    with pytest.raises(ValueError, match=r"a\.npz: has arrays .*; it needs one"):
        loads.read(str(tmp_path / "a.npz"))


def test_steps_of_a_trace_add_up(tmp_path):
    """A trace gives the sum of all steps, or of each complete window."""
    traces.save(traces.RoutingTrace(COUNTS, "toy", top_k=1), tmp_path / "t.parquet")
    path = str(tmp_path / "t.parquet")
    np.testing.assert_array_equal(loads.read(path), COUNTS.sum(axis=0, keepdims=True))
    np.testing.assert_array_equal(loads.read(path, 3), COUNTS[:3].sum(axis=0, keepdims=True))


def test_tokens_without_steps():
    """Tokens without steps are one step by default; windows need step_tokens."""
    tokens = loads.read("dsv2lite-intent")
    assert tokens.shape == (1, 26, 64)
    assert loads.read("dsv2lite-intent", step_tokens=1000, window_steps=2).shape == (4, 26, 64)
    with pytest.raises(ValueError, match="give step_tokens, too"):
        loads.read("dsv2lite-intent", window_steps=2)


def test_options_that_do_not_fit_are_refused(tmp_path):
    """A matrix has no steps, and a trace of steps has no tokens."""
    with pytest.raises(ValueError, match="is a matrix"):
        loads.read("load.npy", step_tokens=3)
    with pytest.raises(ValueError, match="applies to traces of tokens"):
        loads.read("olmoe-domains", step_tokens=3)
    with pytest.raises(ValueError, match="steps_per_window = 0 is outside"):
        loads.read("olmoe-domains", window_steps=0)


def test_requests_are_no_loads():
    """A bundled request trace is refused by name."""
    with pytest.raises(ValueError, match="azure-2023-conv: a request trace; a routing trace is"):
        loads.read("azure-2023-conv")
