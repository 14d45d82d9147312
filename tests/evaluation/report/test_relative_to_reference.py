"""Schedulers are shown beside the reference of their stage."""

import pytest

from evaluation.report import rankings
from evaluation.report.kinds import kind_of
from evaluation.report.relative_to_reference import beside_reference


def run(name, stage, goodput, scenario="a", seed=0):
    """Return the record of a scheduler."""
    scores = {"goodput": goodput, "share": 0.9, "ttft_p99_s": 1.0, "tpot_p99_s": 0.1}
    return {
        "suite": "hours-v2",
        "kind": "serving",
        "scenario": {"id": scenario},
        "stage": stage,
        "solver": name,
        "candidate": name,
        "reference": "plain",
        "seed": seed,
        "status": "ok",
        "scores": scores,
    }


RECORDS = [
    run(name, stage, factor * size * (1 + seed), scenario, seed)
    for stage, scenario, size in (("job", "small", 1.0), ("batch", "large", 1000.0))
    for name, factor in (("plain", 1.0), ("good", 1.5))
    for seed in (0, 1)
]


def test_stages_rank_by_themselves():
    """Goodput of a thousand at one stage does not outrank one of another: ratios are alike."""
    shown = beside_reference(RECORDS)
    kind = kind_of(shown)
    assert kind.primary.key == "goodput_ratio"
    (rows,) = [one.rows for one in rankings.standings(shown, kind) if one.scenario == ""]
    told = [(row.variant, row.rank, row.candidate, row.scores["goodput_ratio"]) for row in rows]
    assert told == [
        ("batch", 1, "good", pytest.approx(1.5)),
        ("batch", 2, "plain", 1.0),
        ("job", 1, "good", pytest.approx(1.5)),
        ("job", 2, "plain", 1.0),
    ]


def test_without_a_reference_goodput_ranks():
    """Records that name none, or whose reference did not run, have no ratio."""
    alone = [{**one, "reference": None} for one in RECORDS]
    assert beside_reference(alone) == alone
    assert kind_of(alone).primary.key == "goodput"
    lacking = [one for one in RECORDS if one["solver"] == "good"]
    assert all("goodput_ratio" not in one["scores"] for one in beside_reference(lacking))
