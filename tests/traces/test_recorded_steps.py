"""Finished steps on their way to the file."""

import numpy as np
import pytest

import traces
from traces import recorded_steps
from traces.recorded_steps import RecordedSteps


def filled(path, lengths, counts):
    """Write steps of so many tokens, 2 layers, top-2 of 6; return their choices."""
    generator = np.random.default_rng(0)
    steps = RecordedSteps(path, 6, "toy", "decode", {"origin": "test"}, counts)
    ids = [np.argsort(generator.random((n, 2, 6)), axis=2)[:, :, :2] for n in lengths]
    for chosen in ids:
        steps.add(chosen)
    steps.close(None)
    assert steps.finished == len(lengths)
    return ids


@pytest.mark.parametrize("held", [1, 5, 10**6])
def test_tokens(tmp_path, monkeypatch, held):
    """In one chunk or in many, the file holds every token and the number of its step."""
    monkeypatch.setattr(recorded_steps, "HELD_TOKENS", held)
    ids = filled(tmp_path / "t.parquet", [3, 0, 4, 1], counts=False)
    trace = traces.load(tmp_path / "t.parquet")
    assert (trace.experts == np.concatenate(ids)).all()
    assert trace.step.tolist() == [0, 0, 0, 2, 2, 2, 2, 3]
    assert (trace.phase, dict(trace.provenance)) == ("decode", {"origin": "test"})


@pytest.mark.parametrize("held", [1, 5, 10**6])
def test_counts(tmp_path, monkeypatch, held):
    """Counts are those of the tokens; steps without any are kept, at the end too."""
    monkeypatch.setattr(recorded_steps, "HELD_TOKENS", held)
    ids = filled(tmp_path / "t.parquet", [0, 3, 0, 4, 0], counts=True)
    trace = traces.load(tmp_path / "t.parquet")
    assert trace.step_tokens.tolist() == [0, 3, 0, 4, 0]
    for step, chosen in enumerate(ids):
        for layer in range(2):
            wanted = np.bincount(chosen[:, layer].ravel(), minlength=6)
            assert (trace.counts[step, layer] == wanted).all()


def test_a_wrong_step_is_named_and_not_added(tmp_path):
    """The steps before it can still be written."""
    steps = RecordedSteps(tmp_path / "t.parquet", 4, "toy", "decode", {}, False)
    steps.add(np.array([[[0, 1]]]))
    with pytest.raises(ValueError, match="step 1: experts at token 0, layer 0, choice 1 is 4"):
        steps.add(np.array([[[0, 4]]]))
    steps.close(None)
    assert traces.load(tmp_path / "t.parquet").num_tokens == 1


def test_an_error_leaves_nothing(tmp_path):
    """Neither the file nor a part of it."""
    steps = RecordedSteps(tmp_path / "t.parquet", 4, "toy", "decode", {}, False)
    steps.add(np.array([[[0, 1]]]))
    steps.close(RuntimeError("stop"))
    assert list(tmp_path.iterdir()) == []
