"""An explanation as plain data."""

import json

import numpy as np
import pytest

import lb
from evaluation.analysis.explanation import explain
from evaluation.analysis.explanation_report import report
from tests.evaluation.analysis.made_window import made_window


def test_one_hot_expert_is_named(executor):
    """Expert 5 has all tokens on one rank; a second replica halves its rank's part."""
    counts = np.zeros((2, 1, 64), dtype=np.int32)
    counts[:, :, 5] = 600
    before = lb.Placement(np.arange(64)[None], 16)
    table = np.append(np.arange(64).reshape(16, 4), np.zeros((16, 1), dtype=int), axis=1)
    table[15, 4] = 5
    after = lb.Placement(table.reshape(1, -1), 16)
    explanation = explain(executor, before, after, made_window(counts, [600, 600]))
    result = report(explanation, executor.collectives.fabric, "one", "two", top=3)
    json.dumps(result, allow_nan=False)
    (layer,) = result["layers"]
    assert layer["before"]["rank"] == 1
    assert layer["before"]["experts"] == [
        {"expert": 5, "tokens": 600.0, "share": 1.0, "replicas": 1}
    ]
    assert layer["after"]["load_to_mean"] == pytest.approx(8)
    (expert,) = result["experts"]
    assert (expert["expert"], expert["replicas_before"], expert["replicas_after"]) == (5, 1, 2)
    assert expert["tokens"] == 600
    assert expert["marginal_s"] == pytest.approx(-expert["difference_s"])
    assert result["links"]["dispatch"]["before"]["busiest"][0]["link"][1] == "die0.1"
    assert result["migration"]["experts"] == 15


def test_no_more_than_asked(executor, seen, window):
    """Lists end after ``top``, the largest difference first."""
    problem = lb.Problem(seen, 16, 5)
    explanation = explain(
        executor, lb.solve(problem, "contiguous"), lb.solve(problem, "greedy"), window
    )
    result = report(explanation, executor.collectives.fabric, "one", "two", top=2)
    for kind in ("layers", "ranks", "experts"):
        sizes = [abs(one["difference_s"]) for one in result[kind]]
        assert len(sizes) == 2
        assert sizes == sorted(sizes, reverse=True)
