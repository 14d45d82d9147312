"""Parts of traces."""

import numpy as np
import pytest

import traces
from traces import writer
from traces.cut import Cut

COUNTS = traces.RoutingTrace(np.arange(60).reshape(10, 3, 2), "toy", 1, "decode")


def tokens():
    """Return twelve tokens in steps 0, 0, 0, 2, …, samples of 5, 4 and 3, on two ranks."""
    ids = (np.arange(12)[:, None] + np.arange(3)[None, :]) % 8
    return traces.TokenTrace(
        ids[:, :, None],
        8,
        "toy",
        step=np.repeat([0, 2, 3, 5], 3),
        source_rank=np.arange(12) % 2,
        sample_lengths=np.array([5, 4, 3]),
        provenance={"origin": "made"},
    )


@pytest.fixture(params=["memory", "stored"])
def opened(request, tmp_path, monkeypatch):
    """Return a function that gives a trace as it is, or stored in rows of a few."""

    def give(trace):
        if request.param == "memory":
            return trace
        monkeypatch.setattr(writer, "ROW_GROUP_BYTES", 40)
        traces.save(trace, tmp_path / "t.parquet")
        return traces.open(tmp_path / "t.parquet")

    return give


def whole(pieces, tmp_path):
    """Return pieces as one trace, by way of the store."""
    with traces.Writer(tmp_path / "whole.parquet") as out:
        for piece in pieces:
            out.append(piece)
    return traces.load(tmp_path / "whole.parquet")


def test_steps_and_layers_of_counts(opened, tmp_path):
    """Counts are those of the steps and layers asked for, layers in the order given."""
    found = whole(Cut(steps=(3, 8), layers=(2, 0))(opened(COUNTS)), tmp_path)
    assert (found.counts == COUNTS.counts[3:8, [2, 0]]).all()
    assert (found.step_tokens == COUNTS.step_tokens[3:8]).all()
    assert found.provenance["cut"] == "steps 3:8, layers 2, 0"


def test_open_ends(opened, tmp_path):
    """Either end may be left open."""
    assert whole(Cut(steps=(None, 4))(opened(COUNTS)), tmp_path).num_steps == 4
    assert whole(Cut(steps=(4, None))(opened(COUNTS)), tmp_path).num_steps == 6


def test_tokens_by_number(opened, tmp_path):
    """Samples that the cut goes through go on as their part; ranks and steps stay."""
    found = whole(Cut(tokens=(3, 10))(opened(tokens())), tmp_path)
    assert (found.experts == tokens().experts[3:10]).all()
    assert found.sample_lengths.tolist() == [2, 4, 1]
    assert found.source_rank.tolist() == [1, 0, 1, 0, 1, 0, 1]
    assert found.step.tolist() == [2, 2, 2, 3, 3, 3, 5]


def test_tokens_by_step(opened, tmp_path):
    """Steps are counted from the first one kept."""
    found = whole(Cut(steps=(1, 4))(opened(tokens())), tmp_path)
    assert (found.experts == tokens().experts[3:9]).all()
    assert found.step.tolist() == [1, 1, 1, 2, 2, 2]
    assert found.sample_lengths.tolist() == [2, 4]


def test_cut_twice_is_said_twice(tmp_path):
    """Provenance keeps the first cut beside the second."""
    once = whole(Cut(tokens=(0, 9))(tokens()), tmp_path)
    twice = whole(Cut(layers=[1])(once), tmp_path)
    assert twice.provenance == {"origin": "made", "cut": "tokens 0:9; layers 1"}


@pytest.mark.parametrize(
    ("cut", "trace", "said"),
    [
        (Cut(steps=(3, 11)), COUNTS, "steps 3:11 break 0 <= first < last <= 10"),
        (Cut(steps=(3, 3)), COUNTS, "steps 3:3 break"),
        (Cut(tokens=(0, 2)), COUNTS, "holds none; cut it by steps"),
        (Cut(layers=[3]), COUNTS, "layer 3 breaks 0 <= layer < 3"),
        (Cut(layers=[1, 1]), COUNTS, "none twice"),
        (Cut(layers=[]), COUNTS, "name at least one"),
        (Cut(tokens=(0, 13)), tokens(), "tokens 0:13 break 0 <= first < last <= 12"),
        (Cut(steps=(0, 7)), tokens(), "steps 0:7 break 0 <= first < last <= 6"),
        (Cut(steps=(4, 5)), tokens(), "no token is in steps 4:5"),
        (Cut(steps=(0, 1)), traces.TokenTrace([[[0]]], 2, "toy"), "the tokens are not in steps"),
    ],
)
def test_what_is_not_there(cut, trace, said):
    """Nothing is clipped: what the trace has not is refused by name."""
    with pytest.raises(ValueError, match=said):
        list(cut(trace))
