"""Any trace as steps."""

import numpy as np
import pytest

import traces
from traces import stepping, writer


def tokens(count=30, **fields):
    """Return tokens that choose expert t mod 4 and the next one."""
    first = np.arange(count) % 4
    ids = np.stack([first, (first + 1) % 4], axis=1)[:, None, :]
    return traces.TokenTrace(ids, 4, "toy", **fields)


def test_as_split_does(tmp_path, monkeypatch):
    """Stored tokens give the steps of split() on the whole, the last incomplete one left out."""
    monkeypatch.setattr(writer, "ROW_GROUP_BYTES", 16)
    trace = tokens()
    traces.save(trace, tmp_path / "t.parquet")
    stored = traces.open(tmp_path / "t.parquet")
    assert len(list(stored.parts())) > 3
    wanted = trace.split(7).counts()
    for one in (trace, stored):
        found = np.concatenate([block.counts for block in stepping.in_steps(one, 7)])
        assert (found == wanted.counts).all()
        assert stepping.num_steps(one, 7) == 4
        assert stepping.num_tokens(one) == 30


def test_counts_pass_through():
    """Counts are in steps already."""
    trace = traces.RoutingTrace([[[1, 2]]], "toy", 1)
    assert list(stepping.in_steps(trace)) == [trace]
    assert stepping.num_steps(trace) == 1
    assert stepping.num_tokens(trace) is None


@pytest.mark.parametrize(
    ("trace", "step_tokens", "said"),
    [
        (tokens(), None, "not in steps; give step_tokens"),
        (tokens(), 0, "step_tokens = 0 breaks"),
        (tokens(), 31, "step_tokens = 31 breaks 1 <= step_tokens <= 30"),
        (tokens(step=np.zeros(30, int)), 5, "these are, leave it"),
    ],
)
def test_wrong_step_tokens(trace, step_tokens, said):
    """Missing, out of range or not wanted: each is said."""
    with pytest.raises(ValueError, match=said):
        list(stepping.in_steps(trace, step_tokens))
