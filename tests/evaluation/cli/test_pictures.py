"""Commands that draw refuse a file that they could not write, before they work."""

import importlib.util

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()
CALLS = {
    "bench": ["bench", "--suite", "quick", "--svg"],
    "fabric": ["fabric", "show", "h100", "--ranks", "8", "--out"],
    "trace": ["trace", "info", "olmoe-domains", "--picture"],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_other_endings_are_refused(call, tmp_path, monkeypatch):
    """Exit code 2 and the formats; nothing was printed or written before."""
    monkeypatch.chdir(tmp_path)
    result = RUNNER.invoke(app, [*call, "p.pdf"])
    assert result.exit_code == 2
    assert f"{call[-1]} p.pdf: give a name that ends in .html or .svg or .png" in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_image_without_kaleido_is_refused(call, tmp_path, monkeypatch):
    """Exit code 2 and what to install; nothing was printed or written before."""
    monkeypatch.chdir(tmp_path)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *where: None if name == "kaleido" else find_spec(name, *where),
    )
    result = RUNNER.invoke(app, [*call, "p.svg"])
    assert result.exit_code == 2
    assert "pip install 'podlab[image]'" in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []
