"""Small traces and machines, and the command line in a process, for tests of `evaluation`."""

import subprocess
import sys

import numpy as np
import pytest

import traces
from evaluation.replay.deployment import ExpertDeployment
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Model, Operators


@pytest.fixture(scope="session")
def executor():
    """DeepSeek-V2-Lite on sixteen dies of CloudMatrix384."""
    model = Model.preset("deepseek-v2-lite")
    fabric = Fabric.preset("cloudmatrix384", 16)
    device = Device.preset("ascend-910c-die")
    return StepExecutor(Operators(device, model), Collectives(fabric, model))


@pytest.fixture
def deployment():
    """Five slots a rank, windows of four steps."""
    return ExpertDeployment(16, 5, window_steps=4, migration_bytes_per_s=1e11)


@pytest.fixture(scope="session")
def trace():
    """Eighteen steps of two layers and 64 experts, skewed."""
    generator = np.random.default_rng(0)
    skew = generator.lognormal(size=(2, 64))
    counts = generator.poisson(40 * skew, size=(18, 2, 64))
    return traces.RoutingTrace(counts, "toy", top_k=6)


@pytest.fixture
def podlab(tmp_path):
    """Return a function that runs the command in a process of its own, in an empty folder."""

    def run(*arguments):
        command = [sys.executable, "-m", "evaluation", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run
