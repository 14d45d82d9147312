"""Formats of placement files: what a format writes, the reader reads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from evaluation.files.placement_file import read_placement, write_placement
from evaluation.files.placements.formats import FORMATS, format_named

PLACEMENT = lb.Placement([[0, 1, 1, 2], [2, 0, 0, 1]], num_ranks=2)


@st.composite
def placements(draw):
    """Up to 3 layers on up to 3 ranks, with every expert at least once in each layer."""
    ranks, slots, layers = (draw(st.integers(1, most)) for most in (3, 3, 3))
    experts = draw(st.integers(1, ranks * slots))
    rows = [
        draw(st.permutations([slot % experts for slot in range(ranks * slots)]))
        for _ in range(layers)
    ]
    return lb.Placement(rows, ranks)


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=20, deadline=None)
@given(placement=placements())
def test_the_reader_reads_what_each_format_writes(tmp_path_factory, name, placement):
    """Slots and ranks come back from a file of every ending of the format."""
    folder = tmp_path_factory.mktemp("files")
    for ending in FORMATS[name].endings:
        path = folder / f"placement{ending}"
        write_placement(placement, path, FORMATS[name])
        copy = read_placement(path, placement.num_ranks)
        assert copy.num_ranks == placement.num_ranks
        np.testing.assert_array_equal(copy.physical_to_logical, placement.physical_to_logical)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_half_a_file_is_refused_by_its_name(tmp_path, name):
    """A ValueError names the file and the format; no reader returns half a placement."""
    path = tmp_path / f"half{FORMATS[name].endings[0]}"
    write_placement(PLACEMENT, path, FORMATS[name])
    content = path.read_bytes()
    for length in (0, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=rf"half\.\w+: .*{name}"):
            read_placement(path, 2)


def test_layers_of_the_model_are_numbered(tmp_path):
    """TensorRT-LLM's file names MoE layers 3 and 4; the reader takes them in this order."""
    path = tmp_path / "a.yaml"
    write_placement(PLACEMENT, path, FORMATS["tensorrt-llm"], first_layer=3)
    assert "  4: [2, 0, 0, 1]" in path.read_text()
    copy = read_placement(path, 2)
    np.testing.assert_array_equal(copy.physical_to_logical, PLACEMENT.physical_to_logical)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("initial_global_assignments: [[0, 1]]", "must map the number of each layer"),
        ("initial_global_assignments: {a: [0, 1]}", "must map the number of each layer"),
        ("{num_slots: 3, initial_global_assignments: {0: [0, 1]}}", "layer 0 must list num_slots"),
        ("{num_slots: 2, initial_global_assignments: {}}", "has shape"),
        ("num_slots: 2", "holds no placement of the format tensorrt-llm"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ],
)
def test_yaml_of_other_content_is_refused(tmp_path, text, message):
    """The reader names the key that is wrong, and never constructs Python objects."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"a\.yaml: .*{message}"):
        read_placement(path, 2)


@pytest.mark.parametrize(
    ("name", "layers", "text"),
    [
        ("pt", {}, "'pt' is not one of deepseek"),
        ("vllm", {"first_layer": 3}, "applies to sglang and tensorrt-llm, not to vllm"),
        ("tensorrt-llm", {"num_layers": 3}, "applies to sglang, not to tensorrt-llm"),
    ],
)
def test_a_format_refuses_options_that_it_would_ignore(name, layers, text):
    """Numbers of layers go only into files that hold them."""
    with pytest.raises(ValueError, match=text):
        format_named(name, **layers)
