"""Lists of expert ids in Parquet: a column a layer, nested, or a row a token and layer."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import traces
from traces import TokenTrace
from traces.exchange import import_trace, read_foreign
from traces.formats import list_columns, parquet_lists, recognised
from traces.formats.about import About

ABOUT = About(experts=16)
TOKENS = 200
IDS = np.argsort(np.random.default_rng(0).random((TOKENS, 3, 16)), axis=2)[:, :, :2]
STEP, RANK, SAMPLE = np.arange(TOKENS) // 30, np.arange(TOKENS) % 4, np.arange(TOKENS) // 45 + 3
BESIDE = {"step": STEP, "source_rank": RANK, "sample": SAMPLE}


def wide(ids=IDS):
    """Return a column a layer, in an order that is not that of their names as text."""
    return {f"layer_{n}": ids[:, place].tolist() for place, n in [(2, 10), (0, 1), (1, 2)]}


def nested(ids=IDS):
    """Return lists in lists."""
    return {"experts": ids.tolist()}


def long(ids=IDS, layers=(1, 2, 10)):
    """Return a row a token and layer."""
    return {
        "token": np.repeat(np.arange(len(ids)) + 70, len(layers)),
        "layer": np.tile(layers, len(ids)),
        "experts": ids.reshape(-1, ids.shape[2]).tolist(),
    }


def read(path, about=ABOUT):
    """Return all chunks."""
    return list(read_foreign(path, "parquet", about))


@pytest.mark.parametrize("layout", [wide, nested, long])
def test_layouts_are_read_in_pieces(tmp_path, monkeypatch, layout):
    """With what is beside them; samples stay whole where a batch ends within one."""
    monkeypatch.setattr(list_columns, "BATCH_VALUES", 300)
    repeat = 3 if layout is long else 1
    beside = {name: np.repeat(values, repeat) for name, values in BESIDE.items()}
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({**layout(), **beside, "text": ["x"] * (TOKENS * repeat)}), path)
    assert recognised(path) == "parquet"
    assert len(read(path)) > 3
    stored = import_trace(path, tmp_path / "a.parquet", about=ABOUT).load()
    np.testing.assert_array_equal(stored.experts, IDS)
    np.testing.assert_array_equal(stored.step, STEP)
    np.testing.assert_array_equal(stored.source_rank, RANK)
    np.testing.assert_array_equal(stored.sample_lengths, [45, 45, 45, 45, 20])


def test_shards_follow_each_other(tmp_path):
    """By name; steps and samples go on."""
    (tmp_path / "in").mkdir()
    for number, (start, stop) in enumerate([(0, 80), (80, 81), (81, TOKENS)]):
        columns = wide(IDS[start:stop]) | {key: v[start:stop] for key, v in BESIDE.items()}
        name = f"train-{number:05}-of-00003.parquet"
        pq.write_table(pa.table(columns), tmp_path / "in" / name)
    assert recognised(tmp_path / "in") == "parquet"
    stored = import_trace(tmp_path / "in", tmp_path / "a.parquet", about=ABOUT).load()
    np.testing.assert_array_equal(stored.experts, IDS)
    np.testing.assert_array_equal(stored.sample_lengths, [45, 45, 45, 45, 20])


def with_row(row, **values):
    """Return rows of tokens and layers, some cells of one row changed."""
    columns = {key: list(column) for key, column in long().items()}
    for key, value in values.items():
        columns.setdefault(key, [0] * (3 * TOKENS))[row] = value
    return columns


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [1]}, "has the columns a; give lists in 'experts'"),
        ({"layer_0": [1]}, "has the columns layer_0"),
        ({"layer_0": [[1]], "layer_00": [[1]]}, "has layer 0 twice"),
        ({"experts": [[[1]]], "token": [1]}, "has 'token' alone"),
        ({"experts": [[1]]}, "is of int64; give lists of integers"),
        ({"experts": [[[[1]]]]}, "is of list<.*>; give integers"),
        ({"layer_0": [[1, 2]], "layer_1": [[1]]}, "layer_1 has 1 choices a token, layer_0 has 2"),
        (wide() | {"step": STEP[::-1]}, "step falls at token"),
        (wide() | {"sample": SAMPLE[::-1]}, "sample falls"),
        (wide() | {"step": STEP - 1}, "step at token 0 is -1|step falls at token 0"),
        (wide() | {"step": STEP + 0.5}, "step is of double"),
        (wide() | {"step": [None, *STEP[1:].tolist()]}, "step is empty in row 0"),
        (wide(IDS + 1), r"experts at token \d+, layer \d, choice \d is 16, outside"),
        (wide(IDS * 0), "token 0 chooses expert 0 twice in layer 0"),
        (with_row(100, layer=7), "row 100 has token 103 and layer 7"),
        (with_row(100, token=7), "row 100 has token 7 and layer 2"),
        (with_row(1, layer=1), "the first token has the layers"),
        (with_row(100, step=7), "row 10[01] has another step than its token's first row"),
        (with_row(0, token=7), "row 1 has token"),
        (long(IDS[:2]) | {"token": [1] * 6}, "the first token has the layers"),
        ({key: column[:-1] for key, column in long().items()}, "the last token 269 has 2 layers"),
    ],
)
def test_what_is_wrong_has_its_place(tmp_path, columns, said):
    """Column, row or token are named, and nothing is left behind."""
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(ValueError, match=said):
        import_trace(path, tmp_path / "x.parquet", "parquet", ABOUT)
    assert [found.name for found in tmp_path.iterdir()] == ["in.parquet"]


def test_podlabs_own_store_is_no_foreign_file(tmp_path):
    """It opens as it is, and is not recognised."""
    traces.save(TokenTrace(IDS, 16, "m"), tmp_path / "a.parquet")
    assert not parquet_lists.recognises(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="is a trace of podlab's own store"):
        read(tmp_path / "a.parquet")


def test_damaged_and_missing_files(tmp_path):
    """Cut short, a pickle, an empty folder, no rows."""
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table(wide())[:0], path)
    with pytest.raises(ValueError, match="has no tokens; give a row for each"):
        read(path)
    pq.write_table(pa.table(wide()), path)
    content = path.read_bytes()
    for damage in (b"", content[:-100], b"\x80\x04]."):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match=r"in\.parquet is no whole Parquet file"):
            read(path)
    (tmp_path / "x").mkdir()
    with pytest.raises(ValueError, match=r"has no \.parquet file"):
        read(tmp_path / "x")
    with pytest.raises(ValueError, match="does not say how many experts"):
        read(path, About())
