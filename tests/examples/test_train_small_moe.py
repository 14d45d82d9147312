"""The example trains, records, and what it records is routing that came of itself."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import traces
from traces.statistics.skew import shares

pytest.importorskip("torch")

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_small_moe.py"
DOMAINS = ("brackets", "genome", "sums", "words")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Run it shortened; return what it said, and its folder."""
    out = tmp_path_factory.mktemp("moe")
    command = [sys.executable, str(EXAMPLE), "--out", str(out)]
    short = ["--steps", "40", "--record-steps", "8"]
    path = os.pathsep.join([str(EXAMPLE.parents[1]), os.environ.get("PYTHONPATH", "")])
    said = subprocess.run(
        [*command, *short],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return said.stdout, out


def test_it_learns_and_says_where_the_traces_are(recorded):
    """The loss falls by half a nat; traces and their statistics are printed."""
    said, out = recorded
    losses = [float(line.split()[2]) for line in said.splitlines() if line.startswith("step ")]
    assert losses[-1] < losses[0] - 0.5
    assert f"podlab trace info {out / 'training.parquet'}" in said
    for line in ("hottest", "entropy", "drift", "coactivation", "words: small-moe, prefill"):
        assert line in said


def test_the_training_is_a_trace_of_its_own(recorded):
    """A step of it is a step of the trace, 16 texts of 64 letters each."""
    trace = traces.load(recorded[1] / "training.parquet")
    assert trace.counts.shape == (40, 3, 12)
    assert (trace.step_tokens == 16 * 64).all()
    assert (trace.counts.sum(axis=2) == 2 * 16 * 64).all()


def test_routing_differs_by_domain(recorded):
    """Two kinds of text part more of the load than two halves of one kind, five times over."""
    halves = []
    for name in DOMAINS:
        trace = traces.load(recorded[1] / f"{name}.parquet")
        assert trace.experts.shape == (8 * 8 * 64, 3, 2)
        counts = trace.counts().counts
        halves.append(shares([counts[:4].sum(axis=0), counts[4:].sum(axis=0)]))
    loads = np.array(halves)  # [domains, halves, layers, experts]
    within = np.abs(loads[:, 0] - loads[:, 1]).sum(axis=2) / 2
    for one in range(4):
        for other in range(one):
            between = np.abs(loads[one, 0] - loads[other, 0]).sum(axis=1) / 2
            assert between.mean() > 5 * max(within[one].mean(), within[other].mean())
            assert between.mean() > 0.2
