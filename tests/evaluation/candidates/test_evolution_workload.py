"""Workloads of evolved programs: windows of load and sizes."""

import json

import numpy as np
import pytest

import traces
from evaluation.candidates.evolution_workload import EvolutionWorkload, default_workloads


def test_a_trace_is_cut_into_complete_windows():
    """Seven steps are two windows of three; the last step is left out."""
    counts = np.arange(7 * 2 * 8).reshape(7, 2, 8)
    workload = EvolutionWorkload.of_trace(
        traces.RoutingTrace(counts, "toy", top_k=2),
        3,
        num_replicas=12,
        num_groups=2,
        num_nodes=2,
        num_gpus=4,
    )
    assert workload.name == "toy"
    assert (workload.loads == [counts[:3].sum(axis=0), counts[3:6].sum(axis=0)]).all()
    problem = workload.problem(1)
    assert (problem.num_slots, problem.num_nodes, problem.expert_groups) == (12, 2, 2)
    assert (problem.load == workload.loads[1]).all()


def test_the_file_of_adrs_is_read(tmp_path):
    """A window is the sum of two records, as in the evaluator of ADRS."""
    counts = np.random.default_rng(0).integers(0, 50, (5, 2, 8))
    path = tmp_path / "expert-load.json"
    history = [{"logical_expert_load": load.tolist(), "step": 3} for load in counts]
    path.write_text(json.dumps({"load_history": history}))
    workload = EvolutionWorkload.of_adrs(
        path, 2, num_replicas=8, num_groups=1, num_nodes=1, num_gpus=4
    )
    assert (workload.loads[1] == counts[2] + counts[3]).all()
    assert len(workload.loads) == 2
    path.write_text('{"history": []}')
    with pytest.raises(ValueError, match=r"no load_history of ADRS \(KeyError"):
        EvolutionWorkload.of_adrs(path)
    with pytest.raises(ValueError, match=r"nowhere: no load_history of ADRS \(FileNotFoundError"):
        EvolutionWorkload.of_adrs("nowhere")


@pytest.mark.parametrize(
    ("windows", "sizes", "message"),
    [
        (1, {}, "'toy' has 1 windows < 2; the next one is judged"),
        (2, {"num_gpus": 5}, "num_gpus = 5 does not divide 12"),
        (2, {"num_nodes": 3}, "num_nodes = 3 does not divide 4"),
        (2, {"num_replicas": 4}, "slots < 8 experts"),
        (2, {"num_groups": 3}, "expert_groups = 3 does not divide"),
    ],
)
def test_inconsistent_sizes_are_refused(windows, sizes, message):
    """The error names the inequality that does not hold."""
    arguments = {"num_replicas": 12, "num_groups": 2, "num_nodes": 2, "num_gpus": 4, **sizes}
    with pytest.raises(ValueError, match=message):
        EvolutionWorkload("toy", np.ones((windows, 2, 8)), **arguments)


def test_default_workloads_have_real_sizes():
    """One default workload has the sizes of ADRS, the other one is composed of recorded tokens.

    Its domains change before the seventh window, and every window has many requests.
    """
    drift, recorded = default_workloads()
    assert drift.loads.shape == (12, 58, 256)
    sizes = (drift.num_replicas, drift.num_groups, drift.num_nodes, drift.num_gpus)
    assert sizes == (288, 8, 4, 32)
    assert recorded.loads.shape == (12, 26, 64)
    assert recorded.loads.sum(axis=2).min() > 2000 * 400 * 6
    share = recorded.loads / recorded.loads.sum(axis=2, keepdims=True)
    apart = np.abs(share[1:] - share[:-1]).sum(axis=(1, 2))
    assert apart.argmax() == 5
