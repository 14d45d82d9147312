"""A long JSON array, element by element."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.formats import json_elements
from traces.formats.json_elements import elements, numbers

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.text('ab"\\[]{},:\n é'))
ELEMENT = st.one_of(
    st.lists(PLAIN | st.lists(PLAIN, max_size=3), max_size=4),
    st.dictionaries(st.text('ab"\\[]{}', max_size=3), PLAIN, max_size=3),
)


@given(st.lists(ELEMENT, min_size=1, max_size=5), st.booleans(), st.integers(1, 9))
def test_elements_are_those_of_json(tmp_path_factory, values, indented, chunk):
    """Whatever is in text, and wherever a chunk ends."""
    path = tmp_path_factory.mktemp("json") / "a.json"
    before = json_elements.CHUNK_BYTES, json_elements.ASIDE_BYTES
    try:
        json_elements.CHUNK_BYTES, json_elements.ASIDE_BYTES = chunk, 64
        path.write_text(json.dumps(values, indent=1 if indented else None), "utf-8")
        assert list(elements(path)) == values
        path.write_text(json.dumps({"a": 1, "key": values, "z": [2]}), "utf-8")
        assert list(elements(path, "key")) == values
    finally:
        json_elements.CHUNK_BYTES, json_elements.ASIDE_BYTES = before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON of an array"),
        ("{}", "is no JSON of an array"),
        ("[]", "the array is empty"),
        ("[1]", "the array holds b'1'; give arrays or objects"),
        ("[[1]", "is cut short in element 1"),
        ("[[1], [2", "is cut short in element 1"),
        ("[[1] [2]]", "no comma is between elements 0 and 1"),
        ("[[1],, [2]]", "element 1 is no JSON"),
        ("[[1],]", "b',' follows element 0"),
        ("[[1]] x", "what is around the array is no JSON"),
        ("[[1], [NaN]]", "element 1 is no JSON: NaN is no number of JSON"),
        ("[[Infinity]]", "Infinity is no number of JSON"),
        ("[[1}]", "element 0 is no JSON"),
        ("[" * 30 + "]" * 30, "lists are nested deeper than 16"),
        ('[["\ud800"]]'.encode("utf-8", "surrogatepass"), "element 0 is no JSON"),
    ],
)
def test_damage_is_told(tmp_path, text, said):
    """The element is numbered."""
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=said):
        list(elements(path))


def test_the_array_is_the_outermost_objects(tmp_path):
    """One further in is not taken for it."""
    path = tmp_path / "a.json"
    path.write_text('{"a": {"key": [[1]]}}')
    with pytest.raises(ValueError, match="'key' is not of the outermost object"):
        list(elements(path, "key"))
    path.write_text('{"a": [[1]]}')
    with pytest.raises(ValueError, match="no JSON of an object with an array 'key'"):
        list(elements(path, "key"))


def test_a_long_element_is_refused(tmp_path, monkeypatch):
    """Memory holds an element; a file without an end to one is not read on and on."""
    monkeypatch.setattr(json_elements, "ELEMENT_BYTES", 100)
    monkeypatch.setattr(json_elements, "CHUNK_BYTES", 16)
    monkeypatch.setattr(json_elements, "ASIDE_BYTES", 16)
    (tmp_path / "a.json").write_text(json.dumps([list(range(100))]))
    with pytest.raises(ValueError, match="element 0 is longer than 100 bytes"):
        list(elements(tmp_path / "a.json"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[1], [1, 2]], "it is ragged"),
        ([1, None], "holds other things than numbers"),
        ([1, "2"], "holds other things than numbers"),
        ([True, False], "holds other things than numbers"),
        ([1, True], "holds true or false"),
        ([2**70], "holds other things than numbers"),
    ],
)
def test_numbers_are_numbers(value, said):
    """Nothing else passes for one."""
    with pytest.raises(ValueError, match=said):
        numbers(value, "it")
    assert numbers([[1, 0]], "it").tolist() == [[1, 0]]
