"""Small traces and machines, and the command line in a process, for tests of `evaluation`."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

import traces
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.scenario import Scenario
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Model, Operators

#: 100 s of decode, then prefill of the same size: 64 sequences, two layers of DeepSeek-R1.
WORKLOAD = """
[batching]
sequences = 64
step_s = 0.1
[requests]
count = 2000
arrivals.rate = 20.0
lengths = { prompt_mean = 100, output_mean = 20 }
[routing]
loads = "deepseek-r1"
layers = 2
"""


@pytest.fixture(scope="session")
def workload_files(tmp_path_factory):
    """Return the files of two workloads, decode and prefill."""
    folder = tmp_path_factory.mktemp("workloads")
    files = folder / "decode.toml", folder / "prefill.toml"
    files[0].write_text(WORKLOAD)
    prefill = 'sequences = 64\nstage = "prefill"\nprefill_step_s = 0.1\nprefill_tokens = 512'
    files[1].write_text(WORKLOAD.replace("sequences = 64", prefill))
    return tuple(map(str, files))


@pytest.fixture(scope="session")
def small_workload(workload_files):
    """Four windows of 100 engine steps of decode, of which 8 are priced."""
    sizes = {"num_ranks": 32, "slots_per_rank": 9, "window_steps": 100, "sampled_steps": 8}
    return Scenario("small", (), "deepseek-v3", workload=workload_files[:1], windows=4, **sizes)


@pytest.fixture(scope="session")
def changing_workload(small_workload, workload_files):
    """Two windows of decode, then four of prefill."""
    return dataclasses.replace(
        small_workload, id="changing", workload=workload_files, windows=6, change_window=2
    )


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
