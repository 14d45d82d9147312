"""The recorder: from arrays, and from torch modules where torch is there."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import traces
from traces import recorded_steps
from traces.record import Recorder


def recorder(path, **fields):
    """Return a recorder of a model of 8 experts, top-2."""
    return Recorder(path, model="toy", experts=8, top_k=2, **fields)


def ids(tokens, seed=0):
    """Return random choices of two of eight."""
    noise = np.random.default_rng(seed).random((tokens, 8))
    return np.argsort(noise, axis=1)[:, :2]


@pytest.fixture
def file(tmp_path):
    """Where to record."""
    return tmp_path / "t.parquet"


def test_arrays(file):
    """Every layer's choices of every step are in the file; pieces of a step follow each other."""
    with recorder(file, phase="decode", provenance={"origin": "test"}) as recording:
        for step in range(3):
            for layer in range(2):
                recording.add(layer, ids(4, seed=10 * step + layer))
                recording.add(layer, ids(2, seed=90 + layer))
            recording.end_step()
        assert recording.steps == 3
    trace = traces.load(file)
    assert trace.step.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert (trace.experts[6:10, 1] == ids(4, seed=11)).all()
    assert (trace.experts[10:12, 1] == ids(2, seed=91)).all()
    assert (trace.phase, dict(trace.provenance)) == ("decode", {"origin": "test"})


def test_padding_is_left_out(file):
    """A mask says which tokens count, whatever its shape."""
    with recorder(file) as recording:
        recording.add(0, ids(4))
        recording.end_step(tokens=[[1, 0], [0, 1]])
    assert (traces.load(file).experts[:, 0] == ids(4)[[0, 3]]).all()


def test_counts_instead_of_tokens(file):
    """The same steps, counted."""
    with recorder(file, counts=True) as recording:
        recording.add(0, ids(5))
        recording.end_step()
    trace = traces.load(file)
    assert trace.counts[0, 0].tolist() == np.bincount(ids(5).ravel(), minlength=8).tolist()
    assert trace.step_tokens.tolist() == [5]


@pytest.mark.parametrize(
    ("layers", "added", "said"),
    [
        (3, {0: 4, 2: 4}, r"step 0: no tokens from layer 1; every step runs all 3 layers"),
        (None, {1: 4}, r"step 0: no tokens from layer 0; every step runs all 2"),
        (None, {}, r"step 0: no tokens from layer 0"),
        (None, {0: 4, 1: 3}, r"step 0: layer 1 has 3 tokens, layer 0 has 4"),
    ],
)
def test_layers_that_are_missing_are_named(file, layers, added, said):
    """A step is refused unless all layers saw the same tokens; nothing is left behind."""
    with pytest.raises(ValueError, match=said), recorder(file, layers=layers) as one:  # noqa: PT012
        for layer, tokens in added.items():
            one.add(layer, ids(tokens))
        one.end_step()
    assert list(file.parent.iterdir()) == []


def test_a_layer_that_stops(file):
    """Later steps have the layers of the first."""
    said = "step 1: no tokens from layer 1"
    with pytest.raises(ValueError, match=said), recorder(file) as one:  # noqa: PT012
        for layers in (2, 1):
            for layer in range(layers):
                one.add(layer, ids(3))
            one.end_step()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([[0, 8]], "step 0: experts at token 0, layer 0, choice 1 is 8"),
        ([[0, -1]], "is -1"),
        ([[3, 3]], "twice"),
        ([[0.5, 1]], "step 0: layer 0: ids have dtype float64"),
        ([[0, 1, 2]], r"step 0: layer 0: ids have shape \(1, 3\)"),
    ],
)
def test_wrong_ids(file, wrong, said):
    """Out of range, repeated, fractions, or too many: the step says so."""
    with pytest.raises(ValueError, match=said), recorder(file) as recording:  # noqa: PT012
        recording.add(0, np.array(wrong))
        recording.end_step()


def test_wrong_mask(file):
    """A mask has an entry for each token."""
    said = "has 3 entries for 4 tokens"
    with pytest.raises(ValueError, match=said), recorder(file) as one:  # noqa: PT012
        one.add(0, ids(4))
        one.end_step(tokens=[1, 1, 0])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"layers": 0}, "layers = 0 < 1"),
        ({"phase": "both"}, "phase = 'both'"),
        ({"provenance": {"origin": 3}}, "is not text"),
    ],
)
def test_wrong_fields(file, fields, said):
    """They are refused before anything runs."""
    with pytest.raises(ValueError, match=said):
        recorder(file, **fields)


def test_a_layer_out_of_range(file):
    """Layers are counted from 0 to those that were said."""
    with recorder(file, layers=2) as recording:
        for layer in (-1, 2):
            with pytest.raises(ValueError, match=f"layer = {layer} breaks"):
                recording.add(layer, ids(1))
        for layer in range(2):
            recording.add(layer, ids(1))
        recording.end_step()


class Crash(Exception):
    """Something that goes wrong elsewhere."""


@pytest.mark.parametrize("keep", [False, True])
def test_a_crash(file, keep):
    """Nothing is left, or the finished steps where that was asked for; the error comes through."""
    with pytest.raises(Crash), recorder(file, keep=keep) as recording:  # noqa: PT012
        for step in range(3):
            recording.add(0, ids(4, seed=step))
            if step == 2:
                raise Crash
            recording.end_step()
    assert [path.name for path in file.parent.iterdir()] == (["t.parquet"] if keep else [])
    if keep:
        assert traces.load(file).step.tolist() == [0] * 4 + [1] * 4


def test_a_crash_before_the_first_step(file):
    """There is nothing to keep, and the crash is what is raised."""
    with pytest.raises(Crash), recorder(file, keep=True):
        raise Crash
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("keep", [False, True])
def test_a_step_that_was_not_finished(file, keep):
    """It is said; finished steps are kept where that was asked for."""
    said = pytest.raises(ValueError, match=r"step 1 was not finished; call end_step\(\)")
    with said, recorder(file, keep=keep) as recording:
        recording.add(0, ids(4))
        recording.end_step()
        recording.add(0, ids(4))
    assert file.exists() == keep


def test_outside_its_block(file):
    """Nothing is recorded before or after, and a recorder writes one file."""
    recording = recorder(file)
    with pytest.raises(ValueError, match="inside its with block"):
        recording.add(0, ids(1))
    with recording:
        recording.add(0, ids(1))
        recording.end_step()
    with pytest.raises(ValueError, match="inside its with block"):
        recording.add(0, ids(1))
    with pytest.raises(ValueError, match="make another one"), recording:
        pass


def test_bounded_memory(file, monkeypatch):
    """Of many steps only a few thousand tokens are held, and what the store holds back."""
    monkeypatch.setattr(traces.writer, "ROW_GROUP_BYTES", 2**16)
    chosen = ids(4096)
    with recorder(file) as recording:
        recording.add(0, chosen)
        recording.end_step()
        tracemalloc.start()
        for _ in range(200):
            recording.add(0, chosen)
            recording.end_step()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert recorded_steps.HELD_TOKENS == 8192
    assert most < 2**20 < 200 * chosen.astype(np.uint8).nbytes
    assert traces.open(file).num_rows == 201 * 4096


def test_torch_is_not_imported():
    """Nor pyarrow, before there is something to write."""
    code = (
        "import sys, traces.record, traces.statistics, traces.cut, traces.joined_parts;"
        "print([m for m in ('torch', 'pyarrow', 'numba', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
