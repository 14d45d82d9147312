"""A valid small file of every foreign format, for what must hold of all of them.

``MAKERS`` has functions by format, each of which writes into an empty folder and returns the file
or folder to read; ``needs`` names the library that one cannot do without.
"""

import importlib.util
import json

import numpy as np

from traces.formats.about import About
from traces.formats.safetensors_file import wrap

#: What the files below do not say.
ABOUT = About(top_k=2, experts=6)

COUNTS = np.arange(24).reshape(2, 2, 6) % 7  # [steps, layers, experts]
CHOICES = np.array([[[0, 1], [5, 2]], [[3, 2], [1, 4]], [[4, 0], [0, 5]]])  # [tokens, layers, k]


def _npy(path, array):
    np.save(path, array)
    return path


def _npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def _text(path, text):
    path.write_text(text)
    return path


def _parquet(path, columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return path


def _flame_moe(folder):
    import pyarrow as pa

    folder = folder / "iter_0540"
    folder.mkdir()
    for layer in range(2):
        ids = pa.array(CHOICES[:, layer].tolist(), pa.list_(pa.int16()))
        scores = pa.array([[0.5, 0.25]] * 3, pa.list_(pa.float32()))
        _parquet(folder / f"layer_{layer + 2:02}.parquet", {"scores": scores, "indices": ids})
    return folder


def _tensorrt_llm(folder, raw):
    folder = folder / "expert_statistic"
    folder.mkdir()
    _text(folder / "meta_info.json", json.dumps({"num_experts": 6, "num_experts_per_token": 2}))
    for rank in range(2):
        if raw:
            arrays = {
                f"{7 + i}_{3 + n}": CHOICES[:, n].astype("i4") for i in (0, 1) for n in (0, 1)
            }
        else:
            arrays = {f"{7 + i}_{3 + n}": COUNTS[i, n] for i in (0, 1) for n in (0, 1)}
        (folder / f"rank{rank}{'_raw' if raw else ''}.safetensors").write_bytes(wrap(arrays))
    return folder


def _selection(folder):
    prefill = {"0": None, "1": CHOICES[:2, 0].tolist(), "2": CHOICES[:2, 1].tolist()}
    decode = {"0": None, "1": [CHOICES[2, 0].tolist()], "2": [CHOICES[2, 1].tolist()]}
    return _text(folder / "query.json", json.dumps([prefill, decode, decode]))


def _adrs(folder):
    records = [{"logical_expert_load": counts.tolist()} for counts in COUNTS]
    return _text(folder / "expert-load.json", json.dumps({"load_history": records}))


def _rows(folder):
    lines = [f"{t},{n},{e},{count}" for (t, n, e), count in np.ndenumerate(COUNTS)]
    return _text(folder / "a.csv", "step,layer,expert,count\n" + "\n".join(lines) + "\n")


def _wide(folder):
    columns = {f"layer_{n}": CHOICES[:, n].tolist() for n in (0, 1)}
    return _parquet(folder / "a.parquet", {**columns, "step": [0, 0, 1], "sample": [0, 1, 1]})


def _long(folder):
    columns = {"token": [0, 0, 1, 1, 2, 2], "layer": [3, 4] * 3}
    return _parquet(folder / "a.parquet", columns | {"experts": CHOICES.reshape(6, 2).tolist()})


def _torch(path, content):
    import torch

    torch.save(content, path)
    return path


def _sglang(folder):
    import torch

    content = {
        "rank": 0,
        "logical_count": torch.from_numpy(COUNTS),
        "average_utilization_rate_over_window": None,
    }
    return _torch(folder / "expert_distribution_recorder_1.0.pt", content)


def _vllm_ascend(folder):
    maps = np.array([[[0, 1, -1], [1, -1, 0]]])
    return _npz(folder / "a.npz", moe_load=np.ones((1, 2, 2), dtype=int), expert_maps=maps)


def _vllm_eplb(folder):
    slots = np.tile(np.arange(6), (2, 1))
    return _npz(folder / "a.npz", expert_load_window=COUNTS, physical_to_logical_map=slots)


def _vllm_routed(folder):
    lines = [json.dumps({"routed_experts": CHOICES.tolist()})] * 2
    return _text(folder / "a.jsonl", "\n".join(lines) + "\n")


def _azure(folder):
    rows = "2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n"
    return _text(folder / "a.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows)


def _burstgpt(folder):
    names = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    rows = "5,ChatGPT,472,18,490,Conversation log\n45,GPT-4,1087,230,1317,API log\n"
    return _text(folder / "a.csv", names + rows)


def _mooncake(folder):
    request = {"timestamp": 1, "input_length": 700, "output_length": 5, "hash_ids": [1, 2]}
    lines = [json.dumps(request), json.dumps(request | {"timestamp": 3000})]
    return _text(folder / "a.jsonl", "\n".join(lines) + "\n")


def _requests(folder):
    rows = "0.5,100,10,1,code\n2,200,20,,chat\n"
    return _text(folder / "a.csv", "arrival_s,prompt_tokens,output_tokens,session,domain\n" + rows)


#: Format to makers of its kinds of file.
MAKERS = {
    "adrs": [_adrs],
    "azure": [_azure],
    "burstgpt": [_burstgpt],
    "competition": [lambda folder: _npy(folder / "a.npy", COUNTS)],
    "counts-json": [
        lambda folder: _text(
            folder / "a.json", json.dumps({"logical_count": [[0] * 6, *COUNTS[1].tolist()]})
        ),
        lambda folder: _text(
            folder / "a.json", json.dumps({"load": COUNTS.tolist(), "time_s": [0.0, 0.5]})
        ),
        lambda folder: _text(folder / "a.json", json.dumps(COUNTS.tolist())),
    ],
    "flame-moe": [_flame_moe],
    "matrix": [
        lambda folder: _npy(folder / "a.npy", COUNTS[0]),
        lambda folder: _npz(folder / "a.npz", counts=COUNTS),
        lambda folder: _npz(folder / "a.npz", counts=COUNTS, time_s=[0.0, 0.5]),
        lambda folder: _text(folder / "a.csv", "1,2,3,4,5,6\n6,5,4,3,2,1\n"),
        _rows,
    ],
    "mooncake": [_mooncake],
    "omni-infer": [
        lambda folder: _text(
            folder / "a.csv", ",ep_0,ep_1,ep_2,ep_3,ep_4,ep_5\nlayer_0,1,2,3,4,5,6\n"
        )
    ],
    "parquet": [
        _wide,
        _long,
        lambda folder: _parquet(folder / "a.parquet", {"experts": CHOICES.tolist()}),
    ],
    "requests-csv": [_requests],
    "selection-json": [
        _selection,
        lambda folder: _text(folder / "plain.json", json.dumps(CHOICES.tolist())),
    ],
    "sglang": [_sglang],
    "tensorrt-llm": [
        lambda folder: _tensorrt_llm(folder, raw=False),
        lambda folder: _tensorrt_llm(folder, raw=True),
    ],
    "vllm-ascend": [_vllm_ascend],
    "vllm-eplb": [_vllm_eplb],
    "vllm-routed": [
        _vllm_routed,
        lambda folder: _npy(folder / "a.npy", CHOICES),
        lambda folder: _npz(folder / "a.npz", a=CHOICES, b=CHOICES),
    ],
}


def lacking(name):
    """Return the reason why a format cannot be tried here, or nothing."""
    if name not in MAKERS:
        return f"tests/traces/formats/valid_files.py has no file of {name}"
    if name == "sglang" and importlib.util.find_spec("torch") is None:
        return "needs torch: pip install torch"
    return ""
