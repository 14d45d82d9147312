"""The safetensors layout: what is written reads back, and every offset is checked."""

import json

import numpy as np
import pytest

from traces.formats.safetensors_file import SafetensorsFile, wrap

ARRAYS = {"b": np.arange(6, dtype=np.int32).reshape(2, 3), "a": np.array([1, 2], dtype=">u2")}


def test_arrays_read_back(tmp_path):
    """Names, shapes and numbers, in any order."""
    (tmp_path / "x.safetensors").write_bytes(wrap(ARRAYS))
    file = SafetensorsFile(tmp_path / "x.safetensors")
    assert file.names() == ["b", "a"]
    assert file.shape("b") == (2, 3)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(file.read(name), array)
    file.close()


def test_the_library_reads_it(tmp_path):
    """And podlab reads what the library writes."""
    library = pytest.importorskip("safetensors.numpy", reason="needs safetensors")
    arrays = {"b": ARRAYS["b"], "a": np.array([1.5])}
    for name, array in library.load(wrap(arrays)).items():
        np.testing.assert_array_equal(array, arrays[name])
    path = tmp_path / "x.safetensors"
    path.write_bytes(library.save(arrays, {"made": "here"}))
    file = SafetensorsFile(path)
    assert sorted(file.names()) == ["a", "b"]
    np.testing.assert_array_equal(file.read("b"), arrays["b"])
    file.close()


def headed(header, data=b"\0" * 8):
    """Return a file with a header of our own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="I32", shape=(2,), offsets=(0, 8)):
    """Return one array's entry."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its header would be 0 bytes of 0; it is cut short"),
        (b"abc", "it is cut short"),
        (headed({"a": entry()})[:30], "it is cut short"),
        (b"\xff" * 20, "its header would be 18446744073709551615 bytes of 20"),
        (headed(b"{x"), "its header is no JSON"),
        (headed(b"[" * 100_000), "its header is no JSON"),
        (headed([1]), "its header is no object"),
        (headed({"a": 1}), "'a' lacks dtype, shape or data_offsets"),
        (headed({"a": {"dtype": "I32"}}), "'a' lacks dtype"),
        (headed({"a": entry("BF16")}), "'a' is of 'BF16'"),
        (headed({"a": entry([])}), r"'a' is of \[\]"),
        (headed({"a": entry(shape=2)}), "'a' has shape 2"),
        (headed({"a": entry(shape=[-2])}), r"'a' has shape \[-2\]"),
        (headed({"a": entry(shape=[2.0])}), r"'a' has shape \[2\.0\]"),
        (headed({"a": entry(shape=[True])}), r"'a' has shape \[True\]"),
        (headed({"a": entry(offsets=(0, 4))}), "'a' of 2 I32 is at 0 to 4"),
        (headed({"a": entry(offsets=(8, 16))}), "'a' begins at 8, the one before it ends at 0"),
        (headed({"a": entry()}, b"\0" * 7), "has 7 bytes of arrays, its header names 8"),
        (headed({"a": entry()}, b"\0" * 9), "has 9 bytes of arrays, its header names 8"),
    ],
)
def test_damage_is_told(tmp_path, content, said):
    """The file and the array are named."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.safetensors is no whole safetensors file: .*{said}"):
        SafetensorsFile(path)
