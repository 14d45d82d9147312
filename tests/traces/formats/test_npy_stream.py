"""Arrays read front to back: whole, in chunks, and never more than is there."""

import io
import pickle

import numpy as np
import pytest

from traces.formats import npy_stream
from traces.formats.npy_stream import NpyStream

ARRAY = np.arange(24).reshape(4, 2, 3)


def saved(array, **options):
    """Return the bytes of an ``.npy``."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["i1", "<u2", ">i4", "<i8", "<f4"])
def test_chunks_make_the_array(dtype):
    """Whatever the numbers are and the last chunk is short."""
    found = list(NpyStream(io.BytesIO(saved(ARRAY.astype(dtype)))).chunks(3))
    assert [len(chunk) for chunk in found] == [3, 1]
    np.testing.assert_array_equal(np.concatenate(found), ARRAY)


def test_column_major_is_turned(monkeypatch):
    """In one chunk, up to a size."""
    content = saved(np.asfortranarray(ARRAY))
    np.testing.assert_array_equal(next(NpyStream(io.BytesIO(content)).chunks(1)), ARRAY)
    monkeypatch.setattr(npy_stream, "REORDERED_BYTES", 100)
    with pytest.raises(ValueError, match="column-major order and too long"):
        next(NpyStream(io.BytesIO(content)).chunks(1))


def test_an_empty_array_is_one_piece():
    """So that what is empty is said by the trace."""
    assert next(NpyStream(io.BytesIO(saved(np.empty((0, 2))))).chunks(4)).shape == (0, 2)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is no .npy file"),
        (saved(ARRAY)[:20], "is no .npy file"),
        (pickle.dumps([1]), "is no .npy file"),
        (saved(np.array([{}]), allow_pickle=True), "holds pickled objects; give integers"),
        (saved(np.array(["a"])), "holds <U1"),
        (saved(np.array([True])), "holds bool"),
        (saved(np.array([1j])), "holds complex128"),
        (saved(ARRAY)[:-1], "ends after 191 of the 192 bytes"),
        (saved(ARRAY) + b"x", "goes on after the 192 bytes"),
    ],
    ids=["empty", "cut header", "pickle", "objects", "text", "bool", "complex", "cut", "longer"],
)
def test_damage_is_told(content, text):
    """Nothing is unpickled, padded or left over."""
    with pytest.raises(ValueError, match=text):
        list(NpyStream(io.BytesIO(content)).chunks(2))
