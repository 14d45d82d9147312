"""The list of compiled kernels is believed only beside the kernels themselves."""

import pytest

from evaluation.cli import compiled_list
from evaluation.cli.compiled_list import CompiledList


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Let numba keep its kernels in an empty folder."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_names_are_kept_beside_kernels(folder):
    """Names come back, unless the kernels were deleted."""
    CompiledList().add("greedy")
    assert CompiledList().names == set()
    kernel = folder / "some" / "kernel.nbi"
    kernel.parent.mkdir()
    kernel.touch()
    CompiledList().add("greedy")
    CompiledList().add("random")
    assert CompiledList().names == {"greedy", "random"}
    kernel.unlink()
    assert CompiledList().names == set()


def test_a_list_of_other_code_is_not_read(folder, monkeypatch):
    """After a change of the code, nothing counts as compiled."""
    (folder / "kernel.nbi").touch()
    CompiledList().add("greedy")
    monkeypatch.setattr(
        compiled_list.record_file, "provenance", lambda: {"source_hash": "another hash"}
    )
    assert CompiledList().names == set()


def test_a_broken_list_is_empty(folder):
    """A list that is no JSON is not believed."""
    (folder / "kernel.nbi").touch()
    (folder / "podlab-compiled.json").write_text("{")
    assert CompiledList().names == set()


def test_without_a_place_nothing_is_kept(tmp_path, monkeypatch):
    """Where no folder can be made, adding a name does nothing."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(file / "below"))
    CompiledList().add("greedy")
    assert CompiledList().names == set()
