"""The store: what is written is read, streamed or whole, and damage is named."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import traces
from traces import RoutingTrace, TokenTrace, Writer, writer
from traces.writer import ROW_GROUP_BYTES


def many_steps(steps=3000, seed=0):
    """Make a trace of several row groups."""
    counts = np.random.default_rng(seed).integers(0, 1000, (steps, 8, 64))
    return RoutingTrace(counts, "toy", 2, "decode", provenance={"origin": "test"})


def many_tokens(tokens=40_000, step_tokens=700):
    """Make a token trace of several row groups, in steps."""
    ids = np.argsort(np.random.default_rng(1).random((tokens, 26, 8)), axis=2)
    return TokenTrace(ids, 8, "toy").split(step_tokens, keep_partial=True)


def rewritten(path, change):
    """Write a store file again with a changed header or table."""
    table = pq.read_table(path)
    header = json.loads(pq.ParquetFile(path).metadata.metadata[b"podlab"])
    table, header = change(table, header)
    metadata = {} if header is None else {"podlab": json.dumps(header)}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def test_counts_round_trip(tmp_path):
    """Everything comes back, provenance included."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(), path)
    loaded = traces.load(path)
    assert loaded.content_hash == many_steps().content_hash
    assert loaded.header == many_steps().header
    assert loaded.provenance == {"origin": "test"}
    np.testing.assert_array_equal(loaded.step_tokens, many_steps().step_tokens)


def test_tokens_round_trip(tmp_path):
    """Steps, source ranks and sample boundaries come back."""
    ids = np.argsort(np.random.default_rng(2).random((9, 2, 5)), axis=2)[:, :, :2]
    trace = TokenTrace(ids, 5, "toy", "decode", np.arange(9) // 2, np.arange(9) % 3, [4, 1, 4])
    path = tmp_path / "x.parquet"
    traces.save(trace, path)
    loaded = traces.load(path)
    for name in ("experts", "step", "source_rank", "sample_lengths"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(trace, name))


def test_streaming_gives_the_same_in_pieces(tmp_path):
    """Row groups are smaller than the whole and add up to it."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(), path)
    blocks = list(traces.open(path).blocks())
    assert len(blocks) > 1
    assert max(block.counts.nbytes for block in blocks) <= 2 * ROW_GROUP_BYTES
    joined = np.concatenate([block.counts for block in blocks])
    np.testing.assert_array_equal(joined, many_steps().counts)
    assert traces.open(path).num_steps == 3000


def test_streamed_tokens_count_across_row_groups(tmp_path):
    """A step that straddles two row groups is counted once, whole."""
    path = tmp_path / "x.parquet"
    trace = many_tokens()
    traces.save(trace, path)
    stored = traces.open(path)
    blocks = list(stored.blocks())
    assert len(blocks) > 1
    joined = np.concatenate([block.counts for block in blocks])
    np.testing.assert_array_equal(joined, trace.counts().counts)
    tokens = np.concatenate([block.step_tokens for block in blocks])
    np.testing.assert_array_equal(tokens, trace.counts().step_tokens)
    assert stored.num_steps == trace.counts().num_steps
    np.testing.assert_array_equal(stored.load().experts, trace.experts)


def test_hash_does_not_depend_on_blocks(tmp_path):
    """Written step by step or at once, the content is the same."""
    trace = many_steps(50)
    with Writer(tmp_path / "x.parquet") as writer:
        for step in range(50):
            writer.append(trace.slice(step, step + 1))
    assert traces.open(tmp_path / "x.parquet").content_hash == trace.content_hash
    assert traces.load(tmp_path / "x.parquet").content_hash == trace.content_hash


def test_samples_of_appended_blocks_stay_apart(tmp_path):
    """Sample numbers go on from block to block."""
    trace = TokenTrace([[[0]], [[1]], [[0]]], 2, "toy", sample_lengths=[1, 2])
    with Writer(tmp_path / "x.parquet") as writer:
        writer.append(trace)
        writer.append(trace)
    loaded = traces.load(tmp_path / "x.parquet")
    np.testing.assert_array_equal(loaded.sample_lengths, [1, 2, 1, 2])


def test_failed_writer_leaves_nothing(tmp_path):
    """Neither half a file nor a temporary one."""

    def fail():
        with Writer(tmp_path / "x.parquet") as writer:
            writer.append(many_steps(5))
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_failed_writer_keeps_the_old_file(tmp_path):
    """An existing file is replaced by a complete one only."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(5), path)
    before = path.read_bytes()

    def mix():
        with Writer(path) as writer:
            writer.append(many_steps(5))
            writer.append(RoutingTrace([[[1, 2]]], "other", 1))

    with pytest.raises(ValueError, match="a file holds one trace"):
        mix()
    assert path.read_bytes() == before


def test_empty_writer_is_refused(tmp_path):
    """A trace has steps."""
    with pytest.raises(ValueError, match="no block was written"), Writer(tmp_path / "x.parquet"):
        pass


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file(tmp_path, fraction):
    """A file that was cut short says where."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(100), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(ValueError, match=r"x\.parquet: not a Parquet file, or cut short at"):
        traces.load(path)


def test_flipped_bytes_are_found(tmp_path):
    """Damage in the data never passes as a trace."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(100), path)
    content = bytearray(path.read_bytes())
    for position in range(100, len(content) - 4000, 9973):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"x\.parquet"):
            traces.load(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda table, header: (table, None), "but no podlab trace; import it first"),
        (lambda table, header: (table, header | {"schema": 7}), "schema version 7; this podlab"),
        (lambda table, header: (table, header | {"kind": "x"}), "known kind"),
        (
            lambda table, header: (table, {k: header[k] for k in header if k != "top_k"}),
            r"lacks \['top_k'\]",
        ),
        (lambda table, header: (table.drop(["counts"]), header), "column 'counts' is missing"),
        (lambda table, header: (table, header | {"content_hash": "0" * 64}), "damaged or edited"),
        (lambda table, header: (table, header | {"experts": 65}), "64 experts, the header says 65"),
        (lambda table, header: (table.slice(0, 3), header), "damaged or edited"),
    ],
)
def test_foreign_and_edited_files(tmp_path, change, text):
    """What is wrong with the file is named, and the file."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(5), path)
    rewritten(path, change)
    with pytest.raises(ValueError, match=rf"x\.parquet.*{text}"):
        traces.load(path)


def test_negative_count_in_a_file(tmp_path):
    """A count below zero names step, layer and expert."""
    path = tmp_path / "x.parquet"
    traces.save(many_steps(5), path)

    def spoil(table, header):
        flat = table["counts"].combine_chunks().flatten().to_numpy().copy()
        flat[3] = -1
        column = pa.FixedSizeListArray.from_arrays(pa.array(flat), 8 * 64)
        return table.set_column(1, "counts", column), header

    rewritten(path, spoil)
    with pytest.raises(ValueError, match=r"counts at step 0, layer 0, expert 3 is -1"):
        traces.load(path)


def test_expert_id_out_of_range_in_a_file(tmp_path):
    """An id that the model does not have names token, layer and choice."""
    path = tmp_path / "x.parquet"
    traces.save(TokenTrace([[[0, 3]]], 4, "toy"), path)
    rewritten(path, lambda table, header: (table, header | {"experts": 3}))
    with pytest.raises(
        ValueError, match="token 0, layer 0, choice 1 is 3, outside 0 <= experts < 3"
    ):
        traces.load(path)


def test_tokens_without_steps_cannot_be_streamed(tmp_path):
    """The message says how to fix it."""
    traces.save(TokenTrace([[[0, 3]]], 4, "toy"), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"load\(\) and split\(\) it"):
        next(traces.open(tmp_path / "x.parquet").blocks())


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_trace_round_trips(tmp_path_factory, steps, layers, experts, seed):
    """Whatever the shape, load gives what was saved."""
    counts = np.random.default_rng(seed).integers(0, 2**31, (steps, layers, experts))
    trace = RoutingTrace(counts, "toy", 1)
    path = tmp_path_factory.mktemp("store") / "x.parquet"
    traces.save(trace, path)
    np.testing.assert_array_equal(traces.load(path).counts, counts)


def test_whole_samples(tmp_path, monkeypatch):
    """Chunks end where a sample does, however the row groups lie; tokens without go as they are."""
    monkeypatch.setattr(writer, "ROW_GROUP_BYTES", 32)
    ids = (np.arange(60) % 7)[:, None, None]
    lengths = np.array([1, 30, 4, 5, 20])
    trace = traces.TokenTrace(ids, 7, "toy", sample_lengths=lengths)
    traces.save(trace, tmp_path / "t.parquet")
    chunks = list(traces.open(tmp_path / "t.parquet").whole_samples())
    assert len(chunks) > 2
    assert np.concatenate([chunk.sample_lengths for chunk in chunks]).tolist() == lengths.tolist()
    assert (np.concatenate([chunk.experts for chunk in chunks]) == trace.experts).all()
    traces.save(traces.TokenTrace(ids, 7, "toy"), tmp_path / "u.parquet")
    plain = traces.open(tmp_path / "u.parquet")
    assert len(list(plain.whole_samples())) == len(list(plain.parts())) > 1
