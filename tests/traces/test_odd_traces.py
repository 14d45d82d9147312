"""Odd traces and foreign files: what once went wrong stays right."""

import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import traces

HEADER = {
    "schema": 1,
    "kind": "routing",
    "model": "tiny",
    "top_k": 1,
    "phase": "unknown",
    "layers": 1,
    "experts": 2,
    "provenance": {},
    "content_hash": "0" * 64,
}
TOKENS = pa.array([3], pa.int64())
COUNTS = pa.array([[1, 2]], pa.list_(pa.int32(), 2))


def by_hand(path, columns, header):
    """Write a file that no trace would allow."""
    pq.write_table(pa.table(columns).replace_schema_metadata({"podlab": json.dumps(header)}), path)
    return path


def test_a_stream_keeps_idle_steps(tmp_path):
    """A step without tokens is streamed as zeros, as it is counted in memory."""
    trace = traces.TokenTrace([[[0]], [[1]], [[2]]], num_experts=4, model="tiny", step=[0, 0, 3])
    traces.save(trace, tmp_path / "trace.parquet")
    blocks = list(traces.open(tmp_path / "trace.parquet").blocks())
    streamed = np.concatenate([block.counts for block in blocks])
    np.testing.assert_array_equal(streamed, trace.counts().counts)


@pytest.mark.parametrize(
    ("columns", "header"),
    [
        ({"counts": COUNTS}, HEADER),
        ({"step_tokens": TOKENS, "counts": pa.array([[1, 2]], pa.list_(pa.int32()))}, HEADER),
        ({"step_tokens": pa.array([None], pa.int64()), "counts": COUNTS}, HEADER),
        ({"step_tokens": TOKENS, "counts": COUNTS}, {**HEADER, "layers": "x"}),
        ({"step_tokens": TOKENS, "counts": COUNTS}, [1]),
    ],
    ids=["no step_tokens", "variable lists", "null", "layers in words", "header no object"],
)
def test_a_foreign_layout_is_told(tmp_path, columns, header):
    """Whatever is wrong with a file is a ValueError that names the file."""
    path = by_hand(tmp_path / "trace.parquet", columns, header)
    with pytest.raises(ValueError, match=r"trace\.parquet: "):
        traces.load(path)


def test_num_experts_may_come_from_numpy():
    """An integer that numpy computed is as good as any."""
    ours = traces.TokenTrace([[[0]]], num_experts=np.int64(4), model="tiny")
    assert len(ours.content_hash) == 64


@pytest.mark.parametrize("experts", [4.0, True])
def test_num_experts_is_an_integer(experts):
    """A fraction or a truth value is no number of experts."""
    with pytest.raises(ValueError, match="num_experts"):
        traces.TokenTrace([[[0]]], num_experts=experts, model="tiny")


def test_a_ragged_layer_of_a_later_step_is_placed():
    """The error names the step and, within it, the layer."""
    with pytest.raises(ValueError, match="step 1, layer 1"):
        traces.RoutingTrace([[[1, 2], [3, 4]], [[1, 2], [3]]], model="tiny", top_k=1)


def test_a_huge_float_is_out_of_range():
    """A whole number beyond int64 is refused like any other too large count."""
    with pytest.raises(ValueError, match=r"1e\+30"):
        traces.RoutingTrace([[[1e30]]], model="tiny", top_k=1)


def test_provenance_is_read_only():
    """Where a trace comes from does not change."""
    trace = traces.RoutingTrace([[[1]]], model="tiny", top_k=1, provenance={"origin": "here"})
    with pytest.raises(TypeError):
        trace.provenance["origin"] = "there"


def test_a_stored_trace_can_be_pickled():
    """A process that gets one opens the file for itself."""
    stored = pickle.loads(pickle.dumps(traces.open("olmoe-domains")))
    assert stored.num_steps == 6


def test_fractions_of_steps_are_refused():
    """Numbers of steps and tokens are whole."""
    with pytest.raises(ValueError, match=r"step_tokens = 1\.5 is not an integer"):
        traces.TokenTrace([[[0]]], num_experts=4, model="tiny").split(1.5)
    with pytest.raises(ValueError, match=r"steps_per_window = 1\.0 is not an integer"):
        traces.RoutingTrace([[[1]]], model="tiny", top_k=1).windows(1.0)
