"""The commands about the machine model, as a user types them."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app

RUNNER = CliRunner()


def test_validate_prints_json_of_a_family():
    """One family, machine-readable."""
    said = RUNNER.invoke(app, ["validate", "--family", "cloudmatrix-ep", "--json"])
    assert said.exit_code == 0
    assert len(json.loads(said.stdout)["anchors"]) == 6


def test_validate_prints_the_table_and_the_summary():
    """Anchors with their errors, then families."""
    said = RUNNER.invoke(app, ["validate", "--family", "cloudmatrix-decode"])
    assert "cm-layer-mtp" in said.stdout
    assert "Absolute error by family" in said.stdout


def test_timeline_writes_a_trace(tmp_path):
    """The default scenario under EPLB, two micro-batches on two streams."""
    out = tmp_path / "step.json"
    call = ["timeline", "--plan", "two-stream", "--micro-batches", "2", "--layers", "3"]
    said = RUNNER.invoke(app, [*call, "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert "3 layers, 16 ranks" in said.stdout
    assert json.loads(out.read_text())["traceEvents"]


def test_timeline_draws_the_disaggregated_deployment(tmp_path):
    """Three domains, six streams."""
    out = tmp_path / "step.json"
    said = RUNNER.invoke(app, ["timeline", "--disaggregated", "--out", str(out)])
    assert said.exit_code == 0, said.output
    names = {
        e["args"]["name"]
        for e in json.loads(out.read_text())["traceEvents"]
        if "args" in e and e["name"] == "thread_name"
    }
    assert names == {*(f"attention of domain {n}" for n in range(3)), "a2e", "experts", "e2a"}


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
    said = RUNNER.invoke(app, ["calibrate", "--measure", "--on", "cpu", "--out", str(out)])
    assert said.exit_code == 0, said.output
    device = Device.preset(out)
    assert Operators(device, Model.preset("olmoe-1b-7b")).attention_s(8, 512) > 0


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_fabric_show_draws(tmp_path, suffix):
    """What it is made of, where traffic meets, and a picture."""
    out = tmp_path / f"fabric.{suffix}"
    call = ["fabric", "show", "cloudmatrix384", "--ranks", "32", "--out", str(out)]
    said = RUNNER.invoke(app, [*call, "--fail", "l1.0.0", "--degrade", "die0.0:l1.0.1=0.5"])
    assert said.exit_code == 0, said.output
    assert "13 l1" in said.stdout
    text = out.read_text()
    assert "<svg" in text
    assert text.count("<circle") == 165


def test_fabric_show_keeps_the_whole_machine_small(tmp_path):
    """768 dies are drawn by server: below 2 MB."""
    out = tmp_path / "fabric.svg"
    said = RUNNER.invoke(app, ["fabric", "show", "cloudmatrix384", "--out", str(out)])
    assert said.exit_code == 0
    assert out.stat().st_size < 2e6
    assert "768 die" in said.stdout


def test_fabric_show_reads_traffic_from_a_file(tmp_path):
    """A matrix of bytes."""
    np.save(tmp_path / "sent.npy", np.eye(8)[::-1] * 1e6)
    call = ["fabric", "show", "h100", "--ranks", "8", "--traffic", str(tmp_path / "sent.npy")]
    assert RUNNER.invoke(app, call).exit_code == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["validate", "--family", "moon"], "unknown family ['moon']"),
        (["validate", "--anchors", "none.toml"], "none.toml"),
        (["calibrate"], "give tables to fit, or --measure"),
        (["calibrate", "h80"], "there is no such table"),
        (["calibrate", "h800-gqa"], "--device is missing"),
        (["calibrate", "h800-gqa", "--device", "h801"], "did you mean 'h800'?"),
        (["timeline", "moon"], "has no scenario 'moon'"),
        (["timeline", "--plan", "magic"], "plan = 'magic'"),
        (["timeline", "--solver", "epbl"], "did you mean"),
        (["timeline", "--step", "100000"], "step = 100000 breaks step <"),
        (["fabric", "show", "h10"], "did you mean 'h100'?"),
        (["fabric", "show", "h100", "--ranks", "0"], "num_ranks = 0 is outside"),
        (["fabric", "show", "h100", "--ranks", "8", "--fail", "rail7"], "no node 'rail7'"),
        (["fabric", "show", "h100", "--ranks", "8", "--degrade", "a"], "--degrade a: give a link"),
        (["fabric", "show", "h100", "--ranks", "8", "--out", "a.png"], "ends in .svg or .html"),
        (["fabric", "show", "h100", "--ranks", "8", "--traffic", "odd"], "give uniform, neighbour"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    said = RUNNER.invoke(app, call)
    assert said.exit_code == 2
    assert message in said.stderr
    assert said.stderr.startswith("podlab: ")
    assert said.stderr.count("\n") == 1
