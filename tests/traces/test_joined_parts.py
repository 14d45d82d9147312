"""Traces one after another, piece by piece."""

import numpy as np
import pytest

import traces
from traces import writer
from traces.joined_parts import join_parts


def counts(steps, seed, **fields):
    """Return random counts."""
    drawn = np.random.default_rng(seed).integers(0, 9, (steps, 2, 4))
    return traces.RoutingTrace(drawn, "toy", 2, **fields)


def tokens(count, **fields):
    """Return tokens that choose one expert."""
    return traces.TokenTrace((np.arange(count) % 5)[:, None, None], 5, "toy", **fields)


def stored(parts, tmp_path, monkeypatch):
    """Save the parts in small row groups and open them."""
    monkeypatch.setattr(writer, "ROW_GROUP_BYTES", 64)
    for number, part in enumerate(parts):
        traces.save(part, tmp_path / f"{number}.parquet")
    return [traces.open(tmp_path / f"{number}.parquet") for number in range(len(parts))]


@pytest.mark.parametrize(
    "parts",
    [
        [counts(9, 0, phase="prefill"), counts(20, 1, phase="decode", provenance={"from": "b"})],
        [tokens(30), tokens(40)],
        [
            tokens(30, step=np.arange(30) // 4, sample_lengths=np.array([25, 5])),
            tokens(12, step=np.arange(12) // 5, sample_lengths=np.array([12])),
        ],
        [tokens(30, step=np.arange(30) // 4, source_rank=np.zeros(30, int)), tokens(40)],
    ],
)
def test_as_concat_does(parts, tmp_path, monkeypatch):
    """In pieces as at once: same contents, steps, samples, phase and provenance."""
    wanted = traces.concat(parts)
    with traces.Writer(tmp_path / "all.parquet") as out:
        for piece in join_parts(stored(parts, tmp_path, monkeypatch)):
            out.append(piece)
    found = traces.load(tmp_path / "all.parquet")
    assert found.content_hash == wanted.content_hash
    assert found.phase == wanted.phase
    assert dict(found.provenance) == dict(wanted.provenance)


def test_only_one_model():
    """Another shape, kind or model is refused, and so is nothing."""
    with pytest.raises(ValueError, match="trace 1 has top_k = 1, the first has 2"):
        list(join_parts([counts(3, 0), traces.RoutingTrace(np.ones((1, 2, 4), int), "toy", 1)]))
    with pytest.raises(ValueError, match="trace 1 has kind = 'token'"):
        list(join_parts([counts(3, 0), tokens(3)]))
    with pytest.raises(ValueError, match="at least one"):
        list(join_parts([]))
