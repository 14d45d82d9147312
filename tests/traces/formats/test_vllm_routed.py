"""vLLM's routed experts, a request at a time."""

import base64
import io
import json

import numpy as np
import pytest

from traces.exchange import import_trace, read_foreign
from traces.formats import recognised
from traces.formats.about import About

# layer 0 is dense: vLLM leaves zeros there
FIRST = np.array([[[0, 0], [3, 1]], [[0, 0], [2, 0]]], dtype=np.uint8)
SECOND = np.array([[[0, 0], [1, 2]]], dtype=np.uint8)
ABOUT = About(experts=4)


def _text(ids):
    with io.BytesIO() as buffer:
        np.save(buffer, ids, allow_pickle=False)
        return base64.b64encode(buffer.getvalue()).decode()


def _read(path, about=ABOUT):
    return list(read_foreign(path, "vllm-routed", about))


@pytest.mark.parametrize("kind", ["folder", "npz", "answers", "lists"])
def test_requests_become_samples(tmp_path, kind):
    """All layouts give one sample a request, dense layers left out."""
    path = tmp_path / f"a.{'npz' if kind == 'npz' else 'jsonl'}"
    if kind == "folder":
        path = tmp_path / "requests"
        path.mkdir()
        np.save(path / "10.npy", SECOND)
        np.save(path / "9.npy", FIRST)
    elif kind == "npz":
        np.savez(path, FIRST, SECOND)
    elif kind == "answers":
        choices = [{"routed_experts": _text(ids)} for ids in (FIRST, SECOND)]
        path.write_text(json.dumps({"choices": choices}) + "\n\n")
    else:
        lines = [json.dumps({"routed_experts": ids.tolist()}) for ids in (FIRST, SECOND)]
        path.write_text("\n".join(lines))
    if path.suffix == ".jsonl":
        assert recognised(path) == "vllm-routed"
    stored = import_trace(path, tmp_path / "out.parquet", "vllm-routed", ABOUT).load()
    np.testing.assert_array_equal(stored.experts, [[[3, 1]], [[2, 0]], [[1, 2]]])
    np.testing.assert_array_equal(stored.sample_lengths, [2, 1])
    assert stored.provenance == {"layers": "1"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("{", "line 1 is no JSON"),
        ("[]", "line 1 is a list"),
        ("{}", "neither routed_experts nor choices"),
        ('{"choices": [{}]}', "routed_experts is missing"),
        ('{"routed_experts": "%"}', "no .npy in base64"),
        ('{"routed_experts": [[[0, 1], [2]]]}', "ragged"),
        ('{"routed_experts": [[[0, 4]]]}', "is 4, outside 0 <= experts < 4"),
        ('{"routed_experts": [[[0, -1]]]}', "is -1, outside"),
        ('{"routed_experts": [[[0, 1.5]]]}', "is 1.5; give integers"),
        ('{"routed_experts": [[[0, NaN]]]}', "is nan; give integers"),
        ('{"routed_experts": [[["a", "b"]]]}', "dtype"),
        ('{"routed_experts": []}', "has shape"),
        ('{"routed_experts": [[[1, 1]]]}', "twice"),
        ("", "has no routed_experts"),
    ],
)
def test_what_it_refuses(tmp_path, line, text):
    """Each malformed line is refused, and says where."""
    path = tmp_path / "a.jsonl"
    path.write_text(line)
    with pytest.raises(ValueError, match=text):
        _read(path)


def test_requests_of_two_models_do_not_mix(tmp_path):
    """Layers and choices stay the same; so do the layers without experts."""
    path = tmp_path / "a.npz"
    np.savez(path, FIRST, SECOND[:, :1])
    with pytest.raises(ValueError, match=r"array 'arr_1'.*layers and choices"):
        _read(path)
    np.savez(path, FIRST, SECOND[:, ::-1])
    with pytest.raises(ValueError, match="layer 0 is 0 in some requests"):
        _read(path)


def test_pickles_and_cut_files(tmp_path):
    """Objects are never unpickled; experts must be told."""
    path = tmp_path / "a.npy"
    np.save(path, np.array([FIRST], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"no whole \.npy"):
        _read(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"no whole \.npy"):
        _read(path)
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"no whole \.npz"):
        _read(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="--experts"):
        _read(path, About())
