"""SGLang's expert distribution recorder, written by its own classes where it is installed."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tests.lb.engines import engine_source
from traces.exchange import export_trace, import_trace, read_foreign
from traces.formats import recognised
from traces.formats.about import About
from traces.routing import RoutingTrace

torch = pytest.importorskip("torch", reason="needs torch: pip install torch")

ABOUT = About(top_k=2)
# four layers of which two have experts; four logical experts in six slots
SLOTS = torch.tensor(
    [[0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1], [3, 0, 1, 0, 2, 1], [0, 1, 2, 3, 3, 0]]
)
PASSES = [  # pass, layer -> [tokens, 2] physical ids
    {2: [[0, 1], [3, 4]], 3: [[4, 5], [0, 1]]},
    {2: [[5, 3]], 3: [[2, 3]]},
]


def _record(engine, monkeypatch, folder, mode, rank=0, tokens_of=None):
    """Drive SGLang's own recorder through the passes, and dump."""
    moe = SimpleNamespace(
        expert_distribution_recorder_mode=mode,
        moe_a2a_backend="none",
        deepep_mode="auto",
        expert_distribution_recorder_buffer_size=8,
        eplb_min_rebalancing_utilization_threshold=1.0,
    )
    executed = SimpleNamespace(moe=moe, overlap=SimpleNamespace(enable_two_batch_overlap=False))
    monkeypatch.setattr(engine, "get_exec", lambda: executed)
    metadata = SimpleNamespace(
        num_layers=4,
        num_physical_experts=6,
        num_logical_experts=4,
        num_local_physical_experts=3,
        ep_size=2,
        physical_to_logical_map=SLOTS,
    )
    recorder = engine._ExpertDistributionRecorderReal(metadata, rank)
    recorder.start_record()
    for number, layers in enumerate(PASSES):
        size = len(layers[2])
        batch = SimpleNamespace(
            input_ids=torch.arange(size),
            positions=torch.arange(size),
            extend_seq_lens_cpu=[size],
            forward_mode=SimpleNamespace(value=1),
        )
        with recorder.with_forward_pass(number + 7, batch):
            for layer, ids in layers.items():
                with recorder.with_current_layer(layer):
                    recorder.on_select_experts(torch.tensor(ids, dtype=torch.int32))
    recorder.stop_record()
    recorder.dump_record()


class _Withable:
    """As sglang.srt.utils.Withable: a value while a block runs."""

    value = None

    def with_value(self, value):
        self.next = value
        return self

    def __enter__(self):
        self.value = self.next

    def __exit__(self, *_):
        self.value = None


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """SGLang's own module, on a CPU, dumping into a folder."""
    folder = SimpleNamespace(get=lambda: str(tmp_path))
    module = engine_source.load(
        monkeypatch,
        "sglang.srt.eplb.expert_distribution",
        stands_in=("einops",),  # used for metrics alone
        sglang__srt__utils={"Withable": _Withable, "get_device": lambda: "cpu"},
        sglang__srt__environ={
            "envs": SimpleNamespace(SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR=folder)
        },
        sglang__srt__runtime_context={
            "get_device": lambda: SimpleNamespace(device="cpu"),
            "get_schedule": lambda: SimpleNamespace(chunked_prefill_size=4),
            "get_platform": lambda: SimpleNamespace(is_hip=False),
            "reports_expert_balancedness": lambda: False,
        },
    )
    monkeypatch.setattr(torch.cpu, "empty_cache", lambda: None, raising=False)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda *_, **__: None)
    yield module
    engine_source.forget("sglang")


def _logical(ids, layer):
    return [[int(SLOTS[layer, slot]) for slot in token] for token in ids]


EXPECTED = [
    [
        np.bincount(np.ravel(_logical(layers[layer], layer)), minlength=4).tolist()
        for layer in (2, 3)
    ]
    for layers in PASSES
]


@pytest.mark.parametrize("mode", ["stat", "per_pass"])
def test_counts_that_sglang_wrote(engine, monkeypatch, tmp_path, mode):
    """Its recorder's dump reads as what was routed; unused rows and dense layers are left out."""
    _record(engine, monkeypatch, tmp_path, mode)
    (path,) = tmp_path.glob("*.pt")
    assert recognised(path) == recognised(tmp_path) == "sglang"
    stored = import_trace(path, tmp_path / "out.parquet", about=ABOUT).load()
    assert stored.counts.tolist() == EXPECTED
    assert stored.provenance == {"layers": "2 3"}


def test_tokens_that_sglang_wrote(engine, monkeypatch, tmp_path):
    """Mode per_token gives logical ids by token, of both ranks, in steps."""
    for rank in (0, 1):
        _record(engine, monkeypatch, tmp_path, "per_token", rank)
    stored = import_trace(tmp_path, tmp_path / "out.parquet", about=About()).load()
    wanted = [
        [_logical([layers[2][token]], 2)[0], _logical([layers[3][token]], 3)[0]]
        for layers in PASSES
        for _ in (0, 1)
        for token in range(len(layers[2]))
    ]
    assert stored.experts.tolist() == wanted
    assert stored.step.tolist() == [0, 0, 0, 0, 1, 1]
    assert stored.source_rank.tolist() == [0, 0, 1, 1, 0, 1]
    np.testing.assert_array_equal(stored.counts().counts, np.array(EXPECTED) * 2)


def test_ranks_of_a_pass_are_summed(engine, monkeypatch, tmp_path):
    """Two ranks' files of mode per_pass add up; the same file twice is refused."""
    _record(engine, monkeypatch, tmp_path, "per_pass", 0)
    _record(engine, monkeypatch, tmp_path, "per_pass", 1)
    chunks = list(read_foreign(tmp_path, "sglang", ABOUT))
    np.testing.assert_array_equal(chunks[0].counts, np.array(EXPECTED) * 2)
    first = min(tmp_path.glob("*.pt"))
    (tmp_path / "zcopy.pt").write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match="pass 7 of rank 0 is in"):
        list(read_foreign(tmp_path, "sglang", ABOUT))


def test_round_trip(tmp_path):
    """What is written as stat reads back."""
    trace = RoutingTrace([[[1, 2], [0, 3]], [[4, 0], [2, 2]]], "toy", 1)
    export_trace(trace, tmp_path / "a.pt", "sglang")
    (chunk,) = read_foreign(tmp_path / "a.pt", about=About(model="toy", top_k=1))
    assert chunk.content_hash == trace.content_hash


def test_one_step_of_two_axes_and_json(tmp_path):
    """What SGLang takes for --init-expert-location is one step, as .pt and as .json."""
    counts = [[0, 0], [3, 1], [2, 2]]
    torch.save({"logical_count": torch.tensor(counts)}, tmp_path / "a.pt")
    (tmp_path / "a.json").write_text(json.dumps({"logical_count": counts}))
    for name in ("a.pt", "a.json"):
        (chunk,) = read_foreign(tmp_path / name, "sglang", About(top_k=1))
        assert chunk.counts.tolist() == [counts[1:]]
        assert chunk.provenance["layers"] == "1 2"


def test_times_that_were_added_are_kept(tmp_path):
    """Those of idle steps go with the steps, and a written dump has them again."""
    counts = torch.tensor([[[1, 1]], [[0, 0]], [[2, 0]]])
    torch.save(
        {"logical_count": counts, "time_s": torch.tensor([5.0, 6.0, 7.5])}, tmp_path / "a.pt"
    )
    (chunk,) = read_foreign(tmp_path / "a.pt", about=About(top_k=1))
    assert chunk.time_s.tolist() == [5.0, 7.5]
    export_trace(chunk, tmp_path / "b.pt", "sglang")
    (again,) = read_foreign(tmp_path / "b.pt", about=About(top_k=1))
    assert again.content_hash == chunk.content_hash


def test_declared_experts_are_compared(tmp_path):
    """A file of two experts is not read as one of three."""
    torch.save({"logical_count": COUNT}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="the file has 2 experts != 3 as declared"):
        list(read_foreign(tmp_path / "a.pt", about=About(top_k=1, experts=3)))


def _dump(path, **content):
    torch.save(content, path)
    return path


COUNT = torch.tensor([[[1, 2], [3, 4]]])
RECORD = {"forward_pass_id": 0, "rank": 0, "global_physical_count": torch.tensor([[1, 2]])}
TOPK = torch.tensor([[[0, 1]]])
MAP = torch.tensor([[0, 1]])


def _records(*records, slots=MAP):
    return {"records": list(records), "last_physical_to_logical_map": slots}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"rank": 0}, "logical_count or records is missing"),
        ({"logical_count": COUNT[0, 0]}, "has shape"),
        ({"logical_count": COUNT, "time_s": COUNT}, "time_s has shape"),
        ({"logical_count": COUNT, "time_s": COUNT[0, 0]}, r"time_s has shape \(2,\) for 1 steps"),
        ({"logical_count": torch.tensor([[[1, 1]] + [[0, 0]] * 9])}, "in layer 0 alone"),
        ({"logical_count": [1]}, "is a list; give a tensor"),
        ({"logical_count": COUNT - 2}, "step 0: logical_count at step 0, layer 0, expert 0 is -1"),
        ({"logical_count": COUNT + 0.5}, "give integers"),
        ({"logical_count": COUNT * float("nan")}, "nan"),
        ({"logical_count": COUNT > 1}, "dtype bool"),
        ({"logical_count": COUNT * 0}, "0 throughout"),
        ({"logical_count": COUNT[:0]}, "no axis is empty"),
        (_records(), "records is empty"),
        ({"records": [RECORD]}, "last_physical_to_logical_map is missing"),
        ({"records": 3, "last_physical_to_logical_map": MAP}, "records is no list"),
        (_records(3), "record 0 is a int"),
        (_records({"rank": 0}), "record 0 lacks"),
        (_records({**RECORD, "rank": "a"}), "rank = 'a' is not an integer"),
        (_records(RECORD, RECORD), "pass 0 of rank 0"),
        (_records(RECORD, slots=MAP - 2), "outside -1 <= id"),
        (_records(RECORD, slots=MAP[:, :1]), "the map"),
        (_records({**RECORD, "global_physical_count": MAP - 1}), "record 0: counts at step 0"),
        (_records({**RECORD, "topk_ids_of_layer": TOPK + 1}), "is 2, outside 0 <= id < 2 slots"),
        (_records({**RECORD, "topk_ids_of_layer": TOPK * 0}), "twice"),
        (_records({**RECORD, "topk_ids_of_layer": TOPK[0]}), "has shape"),
    ],
)
def test_what_it_refuses(tmp_path, content, text):
    """Each malformed dump is refused, and says where."""
    path = _dump(tmp_path / "a.pt", **content)
    with pytest.raises(ValueError, match=text):
        list(read_foreign(path, "sglang", ABOUT))


def test_pickles_and_cut_files(tmp_path):
    """Nothing is unpickled but tensors and plain values; half a file is none."""
    path = _dump(tmp_path / "a.pt", logical_count=COUNT, rank=SimpleNamespace())
    with pytest.raises(ValueError, match=r"not a whole file of torch\.save with plain tensors"):
        list(read_foreign(path, "sglang", ABOUT))
    whole = _dump(path, logical_count=COUNT).read_bytes()
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="not a whole file"):
            list(read_foreign(path, "sglang", ABOUT))


def test_mutated_dumps_raise_value_errors_alone(tmp_path):
    """Flipped bytes are read or refused, never anything else."""
    rng = np.random.default_rng(0)
    whole = _dump(tmp_path / "a.pt", **_records(RECORD)).read_bytes()
    refused = 0
    for _ in range(150):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            changed[place] = rng.integers(256)
        (tmp_path / "b.pt").write_bytes(bytes(changed))
        try:
            list(read_foreign(tmp_path / "b.pt", "sglang", ABOUT))
        except ValueError:
            refused += 1
    assert refused > 20
