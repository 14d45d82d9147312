"""Laws of loads as files."""

import numpy as np
import pytest

from traces import generators
from traces.generators import loads
from traces.generators.loads import LoadLaw, law_file, modes, with_domains

CONDITIONS = ("prefill_in777", "decode_in5out800")


@pytest.mark.parametrize("name", loads.PRESETS)
def test_a_file_gives_the_law_back(tmp_path, name):
    """The same loads, also of samples."""
    law = loads.preset(name)
    loads.save(law, tmp_path / "law.toml")
    again = loads.load(tmp_path / "law.toml")
    assert (again.model, again.source) == (law.model, law.source)
    assert again.sequence_correlation == law.sequence_correlation
    for condition in ["prefill:summary"] if name == "deepseek-v2-lite" else CONDITIONS:
        assert (again.share(condition, 2) == law.share(condition, 2)).all()


def test_odd_names_domains_and_recordings(tmp_path):
    """Everything survives."""
    recordings = {
        'my "monday"': [[1, 2, 3]],
        "decode_out5:a": [[3, 2, 1]],
        "decode_out9:a": [[3, 3, 1]],
    }
    law = with_domains(modes(recordings).law(), ["chat", "code"])
    loads.save(law, tmp_path / "law.toml")
    again = loads.load(tmp_path / "law.toml")
    assert again.domains == ("chat", "code")
    for condition in (*recordings, "decode_out7:a"):
        assert (again.share(condition) == law.share(condition)).all()


def test_the_two_kinds_of_laws_are_told_apart(tmp_path):
    """By a line of the file."""
    loads.save(LoadLaw("toy", 1, [[0.0]], np.empty((0, 1, 1))), tmp_path / "loads.toml")
    generators.save(generators.Law(1, 2, 1), tmp_path / "law.toml")
    assert law_file.is_load_law(tmp_path / "loads.toml")
    assert not law_file.is_load_law(tmp_path / "law.toml")
    with pytest.raises(ValueError, match=r"law\.toml: kind = None is not 'loads'"):
        loads.load(tmp_path / "law.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "loads"', "missing"),
        ('kind = "loads"\nskew = 1', "unknown"),
        ('kind = "loads"\nmodel = "a"\ntop_k = 2\nbase = [[0.0]]\ndirections = []', "directions"),
        ("kind = ", "Invalid value"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, message):
    """With what is wrong in it."""
    path = tmp_path / "law.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"law\.toml: .*{message}"):
        loads.load(path)
