"""The reader takes every registered format and refuses other files by name."""

import json

import numpy as np
import pytest

from evaluation.files.placement_file import names_placement_file, read_placement

MAP = [[0, 1, 1, 2], [2, 1, 0, 0]]


@pytest.mark.parametrize("key", ["physical_to_logical_map", "physical_to_logical"])
def test_json_of_engines_is_read(tmp_path, key):
    """The map may have either key; ranks come from the file; other keys are ignored."""
    path = tmp_path / "map.json"
    path.write_text(json.dumps({key: MAP, "num_ranks": 2, "comment": "mine"}))
    placement = read_placement(path)
    assert placement.num_ranks == 2
    assert placement.physical_to_logical.tolist() == MAP
    assert read_placement(path, 2).num_ranks == 2


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint64])
def test_npy_of_any_integers_is_read(tmp_path, dtype):
    """An array of any integer type is read; its ranks come from the caller."""
    np.save(tmp_path / "map.npy", np.array(MAP, dtype=dtype))
    assert read_placement(tmp_path / "map.npy", 4).physical_to_logical.tolist() == MAP


def test_pickled_objects_are_never_loaded(tmp_path):
    """An object array is refused before anything in it runs."""
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return ran.touch, ()

    np.save(tmp_path / "map.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"map\.npy: .*allow_pickle"):
        read_placement(tmp_path / "map.npy", 1)
    assert not ran.exists()


def test_an_archive_is_refused(tmp_path):
    """An archive that is called .npy is refused."""
    with (tmp_path / "map.npy").open("wb") as file:
        np.savez(file, a=np.array(MAP))
    with pytest.raises(ValueError, match=r"map\.npy: it is an archive"):
        read_placement(tmp_path / "map.npy", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "map.json: .*delimiter|map.json: Expecting"),
        ("[" * 100_000, "map.json: "),
        ("[[0, 1]]", "has no num_ranks"),
        ("{}", "holds no placement of the format json or sglang or vllm or vllm-ascend"),
        ("3", "holds no placement"),
        (json.dumps({"physical_to_logical": MAP}), "has no num_ranks"),
        (json.dumps({"physical_to_logical": MAP, "physical_to_logical_map": MAP}), "has both"),
        (json.dumps({"physical_to_logical": MAP, "num_ranks": "2"}), "num_ranks = '2'"),
        (json.dumps({"physical_to_logical": MAP, "num_ranks": True}), "truth value"),
        (json.dumps({"physical_to_logical": MAP, "num_ranks": 3}), "over 3 ranks"),
        (json.dumps({"physical_to_logical": [[0, 1.5]], "num_ranks": 1}), "dtype float64"),
        (json.dumps({"physical_to_logical": [[0, True]], "num_ranks": 3}), "map.json: "),
        (json.dumps({"physical_to_logical": [[0, 1], [0]], "num_ranks": 1}), "ragged"),
        (json.dumps({"physical_to_logical": [[0, 2]], "num_ranks": 1}), "0 <= id < 2"),
        (json.dumps({"physical_to_logical": [[1, 1]], "num_ranks": 1}), "no copy of expert 0"),
        (json.dumps({"physical_to_logical": None, "num_ranks": 1}), "dtype object"),
        (json.dumps({"physical_to_logical": [[2**70]], "num_ranks": 1}), "map.json: "),
    ],
)
def test_an_invalid_placement_is_refused_by_name(tmp_path, text, message):
    """The error names the file and what is wrong with it."""
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_placement(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    """Binary content in a text format is refused."""
    for name in ("map.json", "map.npy"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ValueError, match=f"{name}: "):
            read_placement(tmp_path / name, 2)


def test_an_empty_npy_is_refused(tmp_path):
    """A file without bytes is refused."""
    (tmp_path / "map.npy").touch()
    with pytest.raises(ValueError, match=r"map\.npy: "):
        read_placement(tmp_path / "map.npy", 2)


def test_other_ranks_than_asked_are_refused(tmp_path):
    """The ranks of the file must be those that the caller requests."""
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"physical_to_logical": MAP, "num_ranks": 2}))
    with pytest.raises(ValueError, match="num_ranks = 2, but 4 ranks"):
        read_placement(path, 4)


def test_other_files_are_refused(tmp_path):
    """The message lists the formats, and a missing file is named."""
    with pytest.raises(ValueError, match=r"map\.pkl: .* deepseek \(\.npz\), json \(\.json\)"):
        read_placement(tmp_path / "map.pkl", 2)
    with pytest.raises(FileNotFoundError, match="no such placement file"):
        read_placement(tmp_path / "map.npy", 2)


def test_the_arrays_of_eplb_are_found_by_name(tmp_path):
    """An .npz without phy2log is no placement."""
    np.savez(tmp_path / "map.npz", phy2log=np.array(MAP), other=np.zeros(2))
    assert read_placement(tmp_path / "map.npz", 2).physical_to_logical.tolist() == MAP
    np.savez(tmp_path / "map.npz", load=np.array(MAP))
    with pytest.raises(ValueError, match="holds no placement of the format deepseek"):
        read_placement(tmp_path / "map.npz", 2)


@pytest.mark.parametrize(
    ("name", "is_file"),
    [
        ("greedy", False),
        ("greedy@4", False),
        ("own.py:mine", False),
        ("folder/own.py", False),
        ("folder/own.py:mine@4", False),
        ("map.npz", True),
        ("map.pt", True),
        ("folder/map", True),
    ],
)
def test_paths_and_solvers_are_distinguished(name, is_file):
    """A word with an ending or a folder is a path; Python files are solvers."""
    assert names_placement_file(name) is is_file


def test_an_existing_file_is_never_a_solver(tmp_path, monkeypatch):
    """The word "map" means a file in the folder that has one."""
    monkeypatch.chdir(tmp_path)
    assert not names_placement_file("map")
    (tmp_path / "map").touch()
    assert names_placement_file("map")
