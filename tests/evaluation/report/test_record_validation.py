"""Records are untrusted: a field that a panel could not draw is named."""

import pytest

from evaluation.report.record_validation import check
from tests.evaluation.report import made


@pytest.mark.parametrize("record", made.everything())
def test_what_benches_write_is_sound(record):
    """No record of ours is refused."""
    check(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suite": 3}, "suite = 3"),
        ({"suite": ""}, "suite = ''"),
        ({"scenario": "calm"}, "scenario = 'calm' has no id"),
        ({"scenario": {"id": None}}, "has no id"),
        ({"status": "fine"}, "status = 'fine' is not ok, failed, infeasible"),
        ({"solver": None}, "solver is missing"),
        ({"dispatcher": []}, r"dispatcher = \[\]"),
        ({"kind": []}, r"kind = \[\]"),
        ({"kind": "faults", "solver": None}, "solver is missing"),
        ({"seed": "a"}, "seed = 'a' is not a whole number"),
        ({"trace_seed": [1]}, r"trace_seed = \[1\]"),
        ({"source_hash": 3}, "source_hash = 3"),
        ({"scores": {"efficiency": 1e200}}, "no measurement"),
        ({"parameters": [1]}, r"parameters = \[1\]"),
        ({"scores": [0.9]}, "scores = .* is not a table"),
        ({"scores": {"efficiency": "high"}}, "scores holds 'high'"),
        ({"scores": {"efficiency": float("nan")}}, "scores holds nan"),
        ({"scores": {"efficiency": True}}, "scores holds True"),
        ({"windows": {"balancedness_next": 0.9}}, "windows.balancedness_next = 0.9"),
        ({"windows": {"balancedness_next": [None]}}, "windows.balancedness_next holds None"),
        ({"layers": 3}, "layers = 3"),
        ({"rank_load": {"layers": [0]}}, "has no relative"),
        ({"rank_load": {"layers": [0], "relative": []}}, "0 rows for 1 layers"),
        ({"rank_load": {"layers": [0], "relative": [[]]}}, "no ranks"),
        ({"rank_load": {"layers": [0, 1], "relative": [[1], [1, 2]]}}, "different numbers"),
        ({"breakdown": {"experts": "long"}}, "breakdown holds 'long'"),
        ({"links": [{"link": "a"}]}, "has no utilisation"),
        ({"links": "busy"}, "links = 'busy'"),
        ({"cost": {"ratio": "cheap"}}, "cost.ratio holds 'cheap'"),
        ({"cost": {"curve": [{"ratio": 1}]}}, "has no balancedness"),
        ({"distribution": {"ttft_s": [float("inf")]}}, "distribution.ttft_s holds inf"),
    ],
)
def test_unsound_records_are_named(change, message):
    """The field that is wrong is said, with what it holds."""
    with pytest.raises(ValueError, match=message):
        check(made.solver() | change)


def test_unknown_scores_are_left_out():
    """A null is a score that is not known, and no number."""
    record = made.solver(scores={"efficiency": 0.9, "share": None})
    check(record)
    assert record["scores"] == {"efficiency": 0.9}
