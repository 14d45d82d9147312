"""Laws as dicts and files."""

import pytest
from hypothesis import given, settings

from tests.traces.generators.test_law import LAWS
from traces import generators
from traces.generators import PRESETS, Law


@settings(max_examples=30, deadline=None)
@given(law=LAWS)
def test_a_dict_gives_the_law_back(law):
    """Equal, and with equal counts."""
    again = Law.from_dict(law.as_dict())
    assert again == law
    assert generators.trace(again, 2).content_hash == generators.trace(law, 2).content_hash


@pytest.mark.parametrize("name", PRESETS)
def test_a_file_gives_the_law_back(tmp_path, name):
    """Measured logits and all."""
    law = PRESETS[name]()
    generators.save(law, tmp_path / "law.toml")
    assert generators.load(tmp_path / "law.toml") == law
    assert [path.name for path in tmp_path.iterdir()] == ["law.toml"]


def test_arrays_schedules_and_odd_names(tmp_path):
    """Everything that is not a plain number survives."""
    law = Law(
        1,
        2,
        1,
        model='a "quoted" \\ name',
        domains=2,
        logits=[[0.5, -0.5]],
        bias=[[0.0, 0.25]],
        layer_variation=[0.5],
        schedule=((2, (1, 0)), (1, (0.0, 1.0))),
    )
    generators.save(law, tmp_path / "law.toml")
    again = generators.load(tmp_path / "law.toml")
    assert again == law
    assert again.schedule == ((2, (1, 0)), (1, (0.0, 1.0)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layers = 1\nexperts = 2", "top_k is missing"),
        ("layers = 1\nexperts = 2\ntop_k = 1\nskwe = 2", "skwe is not a field"),
        ("layers = 1\nexperts = 2\ntop_k = 3", "top_k = 3 is outside"),
        ("layers = 1\nexperts = 2\ntop_k = 1\nmix = 3", "wrong form"),
        ("layers = 1\nexperts = 2\ntop_k = 1\nschedule = [3]", "wrong form"),
        ("layers = 1\nexperts = 2\ntop_k = 1\nschedule = [[3]]", "not enough values"),
        ("layers = 1\nexperts = 2\ntop_k = 1\nlogits = [[1, 2], [3]]", "inhomogeneous"),
        ("layers = ", "Invalid value"),
        ("", "layers is missing"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, message):
    """With what is wrong in it."""
    path = tmp_path / "law.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"law\.toml: .*{message}"):
        generators.load(path)


def test_a_missing_file_is_missing(tmp_path):
    """As such."""
    with pytest.raises(FileNotFoundError):
        generators.load(tmp_path / "none.toml")
