"""Requests in the store: what is written is read, and damage is named."""

import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import traces
from tests.traces.test_requests import trace
from traces import RequestTrace, StoredRequests, StoredTrace


def rewritten(path, change):
    """Write a store file again with a changed header or table."""
    table = pq.read_table(path)
    header = json.loads(pq.ParquetFile(path).metadata.metadata[b"podlab"])
    table, header = change(table, header)
    metadata = {} if header is None else {"podlab": json.dumps(header)}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def test_everything_round_trips(tmp_path):
    """Columns, names, block size, provenance."""
    path = tmp_path / "x.parquet"
    traces.save(trace(), path)
    stored = traces.open(path)
    assert isinstance(stored, StoredRequests)
    assert repr(stored) == "StoredRequests(x.parquet: 3 requests)"
    loaded = traces.load(path)
    assert loaded.content_hash == stored.content_hash == trace().content_hash
    assert loaded.provenance == stored.provenance == {"origin": "test"}
    assert loaded.domain_names == ("code", "chat")
    for name, column in trace().columns.items():
        np.testing.assert_array_equal(getattr(loaded, name), column)
    assert pickle.loads(pickle.dumps(stored)).content_hash == stored.content_hash
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.parquet"]


def test_plain_requests_round_trip(tmp_path):
    """No column appears that was not there."""
    made = RequestTrace([0.0, 0.25], [1, 2], [3, 4])
    traces.save(made, tmp_path / "x.parquet")
    loaded = traces.load(tmp_path / "x.parquet")
    assert list(loaded.columns) == ["arrival_s", "prompt_tokens", "output_tokens"]
    assert loaded.content_hash == made.content_hash


def test_prefixes_that_are_all_unknown(tmp_path):
    """Lists that are all empty are lists still."""
    made = RequestTrace([0.0], [1], [3], prefix_hashes=[], prefix_blocks=[0], block_tokens=16)
    traces.save(made, tmp_path / "x.parquet")
    assert traces.load(tmp_path / "x.parquet").content_hash == made.content_hash


def test_several_row_groups(tmp_path):
    """More requests than a group holds come back in order."""
    count = 2**17 + 5
    made = RequestTrace(
        np.arange(count) / 7,
        np.full(count, 9),
        np.arange(count) % 100,
        prefix_hashes=np.arange(count),
        prefix_blocks=np.ones(count, dtype=int),
        block_tokens=16,
    )
    path = tmp_path / "x.parquet"
    traces.save(made, path)
    assert pq.ParquetFile(path).num_row_groups == 2
    assert traces.load(path).content_hash == made.content_hash


def test_kinds_are_told_apart(tmp_path):
    """Asking for the wrong kind is an error that says what the file is."""
    path = tmp_path / "x.parquet"
    traces.save(trace(), path)
    assert traces.load(path, "request").num_requests == 3
    with pytest.raises(ValueError, match=r"x\.parquet: a request trace; a routing trace is needed"):
        traces.open(path, "routing")
    with pytest.raises(ValueError, match="holds requests, not routing"):
        StoredTrace(path)
    traces.save(traces.RoutingTrace([[[1, 2]]], "toy", 1), path)
    with pytest.raises(ValueError, match=r"x\.parquet: holds 'routing', not requests"):
        StoredRequests(path)
    with pytest.raises(ValueError, match="a routing trace; a request trace is needed"):
        traces.open(path, "request")
    with pytest.raises(ValueError, match="kind = 'x' is not one of routing, request"):
        traces.open(path, "x")


def test_missing_file(tmp_path):
    """A name that is not there."""
    with pytest.raises(FileNotFoundError, match="there is no such trace file"):
        StoredRequests(tmp_path / "none.parquet")


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file(tmp_path, fraction):
    """A file that was cut short says so."""
    path = tmp_path / "x.parquet"
    traces.save(trace(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(ValueError, match=r"x\.parquet: not a Parquet file, or cut short"):
        traces.load(path)
    with pytest.raises(ValueError, match=r"x\.parquet: not a Parquet file, or cut short"):
        StoredRequests(path)


def test_flipped_bytes_are_found(tmp_path):
    """Damage is a ValueError that names the file, or changes nothing about the requests."""
    path = tmp_path / "x.parquet"
    traces.save(trace(), path)
    content = path.read_bytes()
    messages = []
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert StoredRequests(path).load().content_hash == trace().content_hash
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > len(content) // 4
    assert all("x.parquet" in message for message in messages)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda table, header: (table, None), "but no podlab trace; import it first"),
        (lambda table, header: (table, [1]), "the header is no object"),
        (lambda table, header: (table, header | {"schema": 7}), "schema version 7; this podlab"),
        (lambda table, header: (table, header | {"kind": "x"}), "holds 'x', not requests"),
        (lambda table, header: (table, header | {"domain_names": 3}), "'domain_names' of the"),
        (lambda table, header: (table, header | {"domain_names": [[1]]}), "give distinct"),
        (lambda table, header: (table, header | {"content_hash": "0" * 64}), "damaged or edited"),
        (lambda table, header: (table, header | {"block_tokens": 51}), "damaged or edited"),
        (lambda table, header: (table, header | {"block_tokens": 1000}), "blocks of 1000 tokens"),
        (lambda table, header: (table.slice(0, 2), header), "damaged or edited"),
        (lambda table, header: (table.drop(["arrival_s"]), header), r"\['arrival_s'\] are missing"),
        (lambda table, header: (table.rename_columns(["x", *table.column_names[1:]]), header), "x"),
        (
            lambda table, header: (
                table.set_column(1, "prompt_tokens", pa.array(["a", "b", "c"])),
                header,
            ),
            "string",
        ),
        (
            lambda table, header: (
                table.set_column(1, "prompt_tokens", pa.array([1, None, 3])),
                header,
            ),
            "column 'prompt_tokens' has empty cells",
        ),
        (
            lambda table, header: (
                table.set_column(1, "prompt_tokens", pa.array([100, -7, 120])),
                header,
            ),
            "prompt_tokens at request 1 is -7",
        ),
        (
            lambda table, header: (
                table.set_column(5, "prefix_hashes", pa.array([1, 2, 3])),
                header,
            ),
            "is int64, no list",
        ),
    ],
)
def test_foreign_and_edited_files(tmp_path, change, text):
    """What is wrong with the file is named, and the file."""
    path = tmp_path / "x.parquet"
    traces.save(trace(), path)
    rewritten(path, change)
    with pytest.raises(ValueError, match=rf"x\.parquet.*{text}"):
        StoredRequests(path).load()


def test_a_failed_write_leaves_nothing(tmp_path):
    """Neither half a file nor a temporary one."""
    target = tmp_path / "x.parquet"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        traces.save(trace(), target)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.parquet"]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.booleans())
def test_any_requests_round_trip(tmp_path_factory, count, seed, ragged):
    """Whatever the numbers, load gives what was saved."""
    random = np.random.default_rng(seed)
    prompts = random.integers(0, 5000, count)
    blocks = random.integers(0, -(-prompts // 64) + 1)
    prefixes = {
        "prefix_hashes": random.integers(0, 2**62, blocks.sum()),
        "prefix_blocks": blocks,
        "block_tokens": 64,
    }
    made = RequestTrace(
        np.sort(random.exponential(1e3, count)),
        prompts,
        random.integers(0, 2**31, count),
        session=random.integers(-1, 2**40, count),
        **(prefixes if ragged else {}),
    )
    path = tmp_path_factory.mktemp("store") / "x.parquet"
    traces.save(made, path)
    loaded = traces.load(path)
    for name, column in made.columns.items():
        np.testing.assert_array_equal(getattr(loaded, name), column)
