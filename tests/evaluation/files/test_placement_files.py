"""Placements as files."""

import numpy as np
import pytest

import lb
from evaluation.files import placement_files

PLACEMENT = lb.Placement([[0, 1, 1, 2], [2, 0, 0, 1]], num_ranks=2)


@pytest.mark.parametrize(
    ("form", "ending"),
    [("json", ".json"), ("npy", ".npy"), ("vllm", ".json"), ("sglang", ".json"),
     ("vllm-ascend", ".json")],
)  # fmt: skip
def test_what_is_written_reads_back(tmp_path, form, ending):
    """Slot maps and expert maps are read whoever they were written for."""
    content = placement_files.content(PLACEMENT, form)
    path = tmp_path / f"a{ending}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert ending in placement_files.FORMATS[form].endings
    read = placement_files.read(path, 2)
    assert read.num_ranks == 2
    np.testing.assert_array_equal(read.physical_to_logical, PLACEMENT.physical_to_logical)


@pytest.mark.parametrize("form", sorted(placement_files.FORMATS))
def test_every_format_says_where_experts_are(form):
    """No format is empty, and each has an ending."""
    assert len(placement_files.content(PLACEMENT, form)) > 20
    assert all(ending.startswith(".") for ending in placement_files.FORMATS[form].endings)


@pytest.mark.parametrize(
    ("form", "layers", "text"),
    [
        ("pt", {}, "'pt' is not one of deepseek"),
        ("vllm", {"first_layer": 3}, "goes with sglang and tensorrt-llm, not with vllm"),
        ("tensorrt-llm", {"num_layers": 3}, "goes with sglang, not with tensorrt-llm"),
    ],
)
def test_options_that_a_format_has_not(form, layers, text):
    """They are refused, not ignored."""
    with pytest.raises(ValueError, match=text):
        placement_files.content(PLACEMENT, form, **layers)
