"""Recordings of engines with flipped and missing bytes."""

import json

import numpy as np
import pytest

from traces.exchange import read_foreign
from traces.formats import named
from traces.formats.about import About

ABOUT = About(top_k=2, experts=3)


def _write(name, path):
    if name == "vllm-eplb":
        load, slots = np.ones((4, 2, 3), dtype=int), np.tile(np.arange(3), (2, 1))
        np.savez_compressed(path, expert_load_window=load, physical_to_logical_map=slots)
    elif name == "vllm-ascend":
        maps = np.array([[[0, 1, -1], [1, -1, 0]]])
        np.savez(path, moe_load=np.ones((1, 2, 2), dtype=int), expert_maps=maps)
    elif name == "vllm-routed" and path.suffix == ".npz":
        np.savez(path, np.array([[[0, 1]]]), np.array([[[2, 1]]]))
    elif name == "vllm-routed":
        path.write_text(json.dumps({"routed_experts": [[[0, 1]], [[1, 2]]]}) + "\n")
    else:
        path.write_text(",ep_0,ep_1,ep_2\nlayer_0,1,2,3\nlayer_1,4,5,6\n")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("omni-infer", "csv"),
        ("vllm-ascend", "npz"),
        ("vllm-eplb", "npz"),
        ("vllm-routed", "jsonl"),
        ("vllm-routed", "npz"),
    ],
)
def test_damage_is_read_or_refused(tmp_path, name, suffix):
    """Nothing but a ValueError gets out of a damaged file, and recognising never raises."""
    path = tmp_path / f"a.{suffix}"
    _write(name, path)
    whole = path.read_bytes()
    assert list(read_foreign(path, name, ABOUT))
    rng = np.random.default_rng(0)
    refused = 0
    for turn in range(300):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 1 + turn % 4):
            changed[place] = rng.integers(256)
        cut = len(whole) if turn % 3 else rng.integers(len(whole))
        path.write_bytes(bytes(changed[:cut]))
        named(name).recognises(path)
        try:
            list(read_foreign(path, name, ABOUT))
        except ValueError:
            refused += 1
    assert refused > 50
