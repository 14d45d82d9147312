"""Omni-Infer's expert activations."""

import numpy as np
import pytest

from traces.exchange import read_foreign
from traces.formats import recognised
from traces.formats.about import About

GOOD = ",ep_0,ep_1\nlayer_0,1,2\nlayer_1,3,4\n"


def _counts(path, about=None):
    chunks = read_foreign(path, "omni-infer", about or About(top_k=1))
    return np.concatenate([chunk.counts for chunk in chunks]).tolist()


def test_a_csv_is_one_step(tmp_path):
    """Rows are layers; the line of names may be missing."""
    path = tmp_path / "topk_ids_count_20250527_093605_decode.csv"
    path.write_text(GOOD)
    assert recognised(path) == recognised(tmp_path) == "omni-infer"
    assert _counts(path) == [[[1, 2], [3, 4]]]
    path.write_text("0,1,2\n1,3,4")
    assert _counts(path) == [[[1, 2], [3, 4]]]


def test_raw_counts_by_rank(tmp_path):
    """Ranks lie beside each other, dumps follow by number; other files stay out."""
    for step in (9, 10):
        for rank in (0, 1):
            name = f"activation_counts_recordstep_{step}_rank_{rank}.txt"
            (tmp_path / name).write_text(f"{step}\t{rank}\t\n0\t1\t\n")
    (tmp_path / "notes.md").write_text("x")
    assert recognised(tmp_path) == "omni-infer"
    assert _counts(tmp_path) == [[[9, 0, 9, 1], [0, 1, 0, 1]], [[10, 0, 10, 1], [0, 1, 0, 1]]]
    (tmp_path / "activation_counts_recordstep_9_rank_0.txt").unlink()
    with pytest.raises(ValueError, match="recordstep_9 has ranks 1; give all, from 0"):
        _counts(tmp_path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "is empty"),
        (",ep_0\n", "is empty"),
        (GOOD.replace("4", "-4"), "line 3, expert 1 is '-4'"),
        (GOOD.replace("4", "4.5"), "is '4.5'; give a whole number"),
        (GOOD.replace("4", "nan"), "is 'nan'"),
        (GOOD.replace(",4", ""), "line 3 has 1 counts, the first layer 2"),
        (GOOD.replace("layer_1", "layer_2"), "of layer 'layer_2'"),
        (GOOD.replace("4", "9999999999"), "outside 0 <= counts"),
        ("layer_0\n", "has 0 counts"),
    ],
)
def test_what_it_refuses(tmp_path, content, text):
    """Each malformed file is refused, and says where."""
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=text):
        _counts(path)


def test_bytes_and_other_experts(tmp_path):
    """Bytes are no text; experts that are told must agree."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"\x80\x04\xff")
    with pytest.raises(ValueError, match="UTF-8"):
        _counts(path)
    path.write_text(GOOD)
    with pytest.raises(ValueError, match="2 experts, not 3"):
        _counts(path, About(top_k=1, experts=3))
