"""FLAME-MoE's folders: a Parquet file a layer, read in lockstep."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traces.exchange import import_trace, read_foreign
from traces.formats import list_columns, recognised
from traces.formats.about import About

TOKENS, TOP_K = 1000, 3
IDS = np.argsort(np.random.default_rng(0).random((TOKENS, 3, 64)), axis=2)[:, :, :TOP_K]


def written(folder, ids=IDS, kind=None, rows=(300, 170, 1000)):
    """Write layers 2, 9 and 10, in row groups of different lengths."""
    folder.mkdir(exist_ok=True)
    for layer, (number, group) in enumerate(zip((2, 9, 10), rows, strict=True)):
        column = pa.array([row.tolist() for row in ids[:, layer]], kind or pa.list_(pa.int16()))
        scores = pa.array([[0.5] * TOP_K] * len(ids))
        table = pa.table({"scores": scores, "indices": column})
        pq.write_table(table, folder / f"layer_{number:02}.parquet", row_group_size=group)
    return folder


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.int16()), pa.large_list(pa.int64()), pa.list_(pa.uint8(), TOP_K)]
)
def test_layers_are_put_together(tmp_path, monkeypatch, kind):
    """Whatever the lists are, batches and row groups not falling together."""
    monkeypatch.setattr(list_columns, "BATCH_ROWS", 3 * 128)
    folder = written(tmp_path / "iter_0540", kind=kind)
    assert recognised(folder) == "flame-moe"
    found = list(read_foreign(folder))
    assert len(found) > 7
    np.testing.assert_array_equal(np.concatenate([trace.experts for trace in found]), IDS)
    assert found[0].num_experts == 64
    assert found[0].provenance["layers"] == "2 9 10"
    stored = import_trace(folder, tmp_path / "a.parquet", about=About(model="flame-moe-290m"))
    np.testing.assert_array_equal(stored.load().experts, IDS)


def altered(token, layer, ids):
    """Return the ids with one token's changed."""
    changed = IDS.copy()
    changed[token, layer] = ids
    return changed


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (
            altered(700, 1, [1, 2, 64]),
            r"layer_09\.parquet: indices at token 700, choice 2 is 64, ou",
        ),
        (altered(700, 1, [1, -2, 6]), r"layer_09\.parquet: indices at token 700, choice 1 is -2"),
        (altered(700, 2, [5, 6, 5]), "token 700 chooses expert 5 twice in layer 2"),
        (IDS[:0], r"layer_02\.parquet has no tokens"),
    ],
)
def test_wrong_ids_have_their_place(tmp_path, monkeypatch, ids, said):
    """File, token and choice are named, counted through all chunks."""
    monkeypatch.setattr(list_columns, "BATCH_ROWS", 3 * 128)
    folder = written(tmp_path / "iter_1", ids)
    with pytest.raises(ValueError, match=said):
        import_trace(folder, tmp_path / "x.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["iter_1"]


def with_layer(folder, columns):
    """Write the folder with another file of layer 9."""
    written(folder)
    pq.write_table(pa.table(columns), folder / "layer_09.parquet")
    return folder


GOOD = [[1, 2, 3]] * TOKENS


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"indices": GOOD[1:]}, r"layer_09\.parquet has 999 tokens, layer_02\.parquet has 1000"),
        ({"scores": GOOD}, r"layer_09\.parquet has not one column 'indices'"),
        ({"indices": [[1, 2]] * TOKENS}, r"layer_09\.parquet has 2 choices a token, layer_02"),
        (
            {"indices": [*GOOD[:800], [1], *GOOD[801:]]},
            r"lists of 3 in row \d+ and of 1 in row 800",
        ),
        ({"indices": [*GOOD[:800], None, *GOOD[801:]]}, "is empty in row 800"),
        ({"indices": [*GOOD[:800], [1, 2, None], *GOOD[801:]]}, "is empty in row 800"),
        ({"indices": [[1.0, 2.0, 3.0]] * TOKENS}, "is of double; give integers"),
        ({"indices": [1] * TOKENS}, "is of int64; give lists of integers"),
        ({"indices": [["1", "2", "3"]] * TOKENS}, "is of string; give integers"),
    ],
)
def test_wrong_layers_are_named(tmp_path, columns, said):
    """Length, column, lists, nulls, types."""
    with pytest.raises(ValueError, match=said):
        list(read_foreign(with_layer(tmp_path / "iter_1", columns), "flame-moe"))


def test_damaged_and_other_folders(tmp_path):
    """Cut files, pickles, no layers, two of a layer."""
    folder = written(tmp_path / "iter_1")
    content = (folder / "layer_09.parquet").read_bytes()
    for damage in (b"", content[:200], b"\x80\x04]."):
        (folder / "layer_09.parquet").write_bytes(damage)
        with pytest.raises(ValueError, match=r"layer_09\.parquet is no whole Parquet file"):
            list(read_foreign(folder, "flame-moe"))
    (folder / "layer_09.parquet").write_bytes(content)
    (folder / "layer_9.parquet").write_bytes(content)
    with pytest.raises(ValueError, match="layer 9 has two files"):
        list(read_foreign(folder, "flame-moe"))
    with pytest.raises(ValueError, match="give the folder of one iteration"):
        list(read_foreign(tmp_path, "flame-moe"))
    with pytest.raises(ValueError, match="is no folder"):
        list(read_foreign(folder / "layer_9.parquet", "flame-moe"))
    (folder / "layer_9.parquet").unlink()
    with pytest.raises(ValueError, match="experts = 0 is outside"):
        list(read_foreign(folder, "flame-moe", About(experts=0)))
