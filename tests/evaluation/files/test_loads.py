"""Loads out of files and traces; the commands' tests cover every kind of file."""

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
    """The only one, or the one that is named as loads are."""
    np.savez(tmp_path / "a.npz", **arrays)
    assert loads.read(str(tmp_path / "a.npz")).shape == shape


@pytest.mark.parametrize("names", [(), ("first", "second"), ("load", "logical_count")])
def test_an_archive_that_names_none_or_several(tmp_path, names):
    """Which is meant cannot be told."""
    np.savez(tmp_path / "a.npz", **dict.fromkeys(names, COUNTS))
    with pytest.raises(ValueError, match=r"a\.npz: has arrays .*; it needs one"):
        loads.read(str(tmp_path / "a.npz"))


def test_steps_of_a_trace_add_up(tmp_path):
    """All steps, or windows of them; an incomplete last window is left out."""
    traces.save(traces.RoutingTrace(COUNTS, "toy", top_k=1), tmp_path / "t.parquet")
    path = str(tmp_path / "t.parquet")
    np.testing.assert_array_equal(loads.read(path), COUNTS.sum(axis=0, keepdims=True))
    np.testing.assert_array_equal(loads.read(path, 3), COUNTS[:3].sum(axis=0, keepdims=True))


def test_tokens_that_are_not_in_steps():
    """All tokens are one step, unless steps are asked for; windows alone need them."""
    tokens = loads.read("dsv2lite-intent")
    assert tokens.shape == (1, 26, 64)
    assert loads.read("dsv2lite-intent", step_tokens=1000, window_steps=2).shape == (4, 26, 64)
    with pytest.raises(ValueError, match="give step_tokens as well"):
        loads.read("dsv2lite-intent", window_steps=2)


def test_options_go_with_their_traces(tmp_path):
    """A matrix has no steps, and a trace of steps has no tokens."""
    with pytest.raises(ValueError, match="is a matrix"):
        loads.read("load.npy", step_tokens=3)
    with pytest.raises(ValueError, match="goes with a trace of tokens"):
        loads.read("olmoe-domains", step_tokens=3)
    with pytest.raises(ValueError, match="steps_per_window = 0 is outside"):
        loads.read("olmoe-domains", window_steps=0)


def test_requests_are_no_loads():
    """A bundled request trace is refused by name."""
    with pytest.raises(ValueError, match="azure-2023-conv: a request trace; a routing trace is"):
        loads.read("azure-2023-conv")
