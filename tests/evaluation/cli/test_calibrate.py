"""`podlab calibrate`, as a user types it."""

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


def test_calibrate_writes_what_reads_back(tmp_path):
    """Kernels fitted to a bundled table."""
    from hardware import Kernels

    out = tmp_path / "kernels.toml"
    call = ["calibrate", "h800-kernels", "--device", "h800", "--name", "mine", "--out", str(out)]
    assert RUNNER.invoke(app, call).exit_code == 0
    assert Kernels.preset(out).name == "mine"


def test_calibrate_measures_this_machine(tmp_path, monkeypatch):
    """With torch, kernels are timed here and the preset prices a model."""
    pytest.importorskip("torch", reason="timing kernels needs torch: pip install torch")
    from hardware import Device, Model, Operators, measure

    tiny = measure.Sweep(
        (1, 64),
        ((256, 256),),
        (2,),
        (4,),
        ((256, 128),),
        (1,),
        (256,),
        (4,),
        (256,),
        (4,),
        (2**24,),
    )
    monkeypatch.setattr(measure.Sweep, "quick", classmethod(lambda _: tiny))
    out = tmp_path / "own.toml"
    result = RUNNER.invoke(app, ["calibrate", "--measure", "--on", "cpu", "--out", str(out)])
    assert result.exit_code == 0, result.output
    device = Device.preset(out)
    assert Operators(device, Model.preset("olmoe-1b-7b")).attention_s(8, 512) > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["calibrate", "h800-gqa", "--out", "x.txt"], "x.txt: give a name that ends in .toml"),
        (["calibrate"], "give tables to fit, or --measure"),
        (["calibrate", "h80"], "there is no such table"),
        (["calibrate", "h800-gqa"], "--device is missing"),
        (["calibrate", "h800-gqa", "--device", "h801"], "did you mean 'h800'?"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1
