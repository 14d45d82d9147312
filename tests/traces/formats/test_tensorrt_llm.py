"""TensorRT-LLM's expert statistics: counts of ranks added up, or their tokens."""

import json

import numpy as np
import pytest

from traces.exchange import import_trace, read_foreign
from traces.formats import chunks, recognised
from traces.formats.about import About
from traces.formats.safetensors_file import wrap

ITERATIONS, LAYERS, EXPERTS, TOP_K = (9, 10, 11), (3, 10), 6, 2
META = {"num_experts": EXPERTS, "num_experts_per_token": TOP_K}
COUNTS = np.random.default_rng(0).integers(0, 9, (2, 3, 2, EXPERTS))  # rank, iteration, layer
IDS = np.argsort(np.random.default_rng(1).random((2, 3, 4, 2, EXPERTS)), axis=4)[..., :TOP_K]


def counted(rank, dtype=np.int64):
    """Return what a rank counted, by key."""
    return {
        f"{t}_{n}": COUNTS[rank, i, j].astype(dtype)
        for i, t in enumerate(ITERATIONS)
        for j, n in enumerate(LAYERS)
    }


def chosen(rank):
    """Return the tokens' choices on a rank, by key."""
    return {
        f"{t}_{n}": IDS[rank, i, :, j].astype(np.int32)
        for i, t in enumerate(ITERATIONS)
        for j, n in enumerate(LAYERS)
    }


def recorded(folder, ranks, name="rank{}.safetensors", meta=META):
    """Write a folder as the engine does."""
    folder.mkdir(exist_ok=True)
    if meta is not None:
        (folder / "meta_info.json").write_text(json.dumps(meta))
    for rank, arrays in enumerate(ranks):
        (folder / name.format(rank)).write_bytes(wrap(arrays))
    return folder


def read(folder):
    """Return all chunks."""
    return list(read_foreign(folder, "tensorrt-llm", About(model="m")))


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float32])
def test_ranks_are_added_up(tmp_path, monkeypatch, dtype):
    """As the engine's own loader does; layers by number, iterations as steps, in chunks."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2 * 2 * EXPERTS * 8)
    folder = recorded(tmp_path / "s", [counted(0, dtype), counted(1, dtype)])
    (folder / "cooccurrence_rank0.safetensors").write_bytes(b"not read")
    assert recognised(folder) == "tensorrt-llm"
    found = read(folder)
    assert [trace.num_steps for trace in found] == [2, 1]
    np.testing.assert_array_equal(np.concatenate([t.counts for t in found]), COUNTS.sum(axis=0))
    assert found[0].top_k == TOP_K
    assert dict(found[0].provenance) == {"layers": "3 10", "first iteration": "9"}
    stored = import_trace(folder, tmp_path / "a.parquet").load()
    np.testing.assert_array_equal(stored.counts, COUNTS.sum(axis=0))


def test_stages_have_some_of_the_layers(tmp_path):
    """With pipeline parallelism."""
    early = {key: counts for key, counts in counted(0).items() if key.endswith("_3")}
    late = {key: counts for key, counts in counted(0).items() if key.endswith("_10")}
    (trace,) = read(recorded(tmp_path / "s", [early, late]))
    np.testing.assert_array_equal(trace.counts, COUNTS[0])


@pytest.mark.parametrize(
    "name", ["rank{}_raw.safetensors", "token_selected_experts_rank{}.safetensors"]
)
def test_tokens_are_read_where_they_are(tmp_path, name):
    """In order of rank, with their iteration and rank; the counts beside them are not."""
    folder = recorded(tmp_path / "s", [counted(0), counted(1)])
    recorded(folder, [chosen(0), chosen(1)], name)
    stored = import_trace(folder, tmp_path / "a.parquet").load()
    np.testing.assert_array_equal(
        stored.experts, IDS.transpose(1, 0, 2, 3, 4).reshape(24, 2, TOP_K)
    )
    np.testing.assert_array_equal(stored.step, np.repeat([0, 1, 2], 8))
    np.testing.assert_array_equal(stored.source_rank, np.tile(np.repeat([0, 1], 4), 3))


def test_an_idle_iteration_is_an_idle_step(tmp_path):
    """It has no tokens, and its number is kept."""
    idle = chosen(0) | {f"10_{n}": np.empty((0, TOP_K), np.int32) for n in LAYERS}
    found = read(recorded(tmp_path / "s", [idle], "rank{}_raw.safetensors"))
    assert [trace.step[0] for trace in found] == [0, 2]
    none = {f"9_{n}": np.empty((0, TOP_K), np.int32) for n in LAYERS}
    with pytest.raises(ValueError, match="no iteration has a token"):
        read(recorded(tmp_path / "t", [none], "rank{}_raw.safetensors"))


def without(arrays, *keys):
    """Return arrays without some."""
    return {key: array for key, array in arrays.items() if key not in keys}


@pytest.mark.parametrize(
    ("ranks", "said"),
    [
        ([{"x": COUNTS[0, 0, 0]}], r"rank0\.safetensors: key 'x' is no '<iteration>_<layer>'"),
        ([{"1_2": COUNTS[0, 0, 0], "01_2": COUNTS[0, 0, 0]}], "key '01_2' is there twice"),
        ([{}], r"rank0\.safetensors is empty"),
        ([without(counted(0), "10_3", "10_10")], "iteration 10 is missing between 9 and 11"),
        ([counted(0), without(counted(1), "11_3", "11_10")], "rank 1 has other iterations than ra"),
        ([without(counted(0), "10_3")], "rank 0 has layer 3 in some iterations, not in 10"),
        ([{"1_2": np.arange(5)}], r"rank 0, 1_2 has shape \(5,\), .* says 6 experts"),
        ([{"1_2": COUNTS[0, 0]}], r"rank 0, 1_2 has shape \(2, 6\)"),
        ([{"1_2": np.arange(6) - 1}], "rank 0, 1_2: it at expert 0 is -1"),
        ([{"1_2": np.arange(6) + 0.5}], r"rank 0, 1_2: it at expert 0 is 0\.5"),
        ([{"1_2": np.arange(6) * np.nan}], "rank 0, 1_2: it at expert 0 is nan"),
        ([{"1_2": np.arange(6) + 2**31}], "expert 0 is 2147483648, outside"),
    ],
)
def test_wrong_counts(tmp_path, ranks, said):
    """Rank and key are named, and nothing is left behind."""
    folder = recorded(tmp_path / "s", ranks)
    with pytest.raises(ValueError, match=said):
        import_trace(folder, tmp_path / "x.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ids: {"9_3": ids["9_3"]}, "rank 1 has other iterations"),
        (lambda ids: without(ids, *[f"{t}_3" for t in ITERATIONS]), "rank 1 lacks layer 3; every"),
        (lambda ids: ids | {"9_10": ids["9_10"][:2]}, r"rank 1, 9_10 has shape \(2, 2\), layer 3"),
        (lambda ids: ids | {"9_10": ids["9_10"][0]}, r"rank 1, 9_10: it has shape \(2,\)"),
        (
            lambda ids: {key: i[:, :1] for key, i in ids.items()},
            r"iteration 9 has \[1, 2\] choices",
        ),
        (
            lambda ids: ids | {"10_10": ids["10_10"] + 6},
            "experts at token 12, layer 1, choice 0 is",
        ),
        (
            lambda ids: ids | {"10_10": ids["10_10"] * 0},
            "token 12 chooses expert 0 twice in layer 1",
        ),
    ],
)
def test_wrong_tokens(tmp_path, change, said):
    """Rank and key, or the token in the file, are named."""
    ranks = [chosen(0), change(chosen(1))]
    with pytest.raises(ValueError, match=said):
        read(recorded(tmp_path / "s", ranks, "rank{}_raw.safetensors"))


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (None, r"has no meta_info\.json"),
        ({"num_experts": 6}, "num_experts_per_token is None; give 1 to 1024"),
        ({"num_experts": 6.0, "num_experts_per_token": 2}, r"num_experts is 6\.0"),
        ({"num_experts": 0, "num_experts_per_token": 2}, "num_experts is 0"),
        ([1], "num_experts is None"),
        ({"num_experts": 1, "num_experts_per_token": 2}, "has shape"),
    ],
)
def test_wrong_meta(tmp_path, meta, said):
    """What it lacks is named."""
    with pytest.raises(ValueError, match=said):
        read(recorded(tmp_path / "s", [counted(0)], meta=meta))


def test_other_folders(tmp_path):
    """Not a folder, none of the ranks, two files of a rank, a damaged one."""
    folder = recorded(tmp_path / "s", [])
    with pytest.raises(ValueError, match="has no rank<n>"):
        read(folder)
    with pytest.raises(ValueError, match="is no folder"):
        read(folder / "meta_info.json")
    recorded(folder, [chosen(0)], "rank{}_raw.safetensors")
    recorded(folder, [chosen(0)], "token_selected_experts_rank{}.safetensors")
    with pytest.raises(ValueError, match="rank 0 has two files"):
        read(folder)
    (folder / "meta_info.json").write_text("{")
    with pytest.raises(ValueError, match=r"meta_info\.json is no JSON"):
        read(folder)
