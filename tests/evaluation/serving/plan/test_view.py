"""A plan is printed, and written as JSON and CSV."""

import csv
import io
import json

import pytest
from rich.console import Console

from evaluation.serving.plan.outcome import DeploymentOutcome
from evaluation.serving.plan.screening import Bound
from evaluation.serving.plan.span import plan_span
from evaluation.serving.plan.view import LISTED, as_csv, as_dict, print_plan
from evaluation.serving.scenario.deployment import ServingDeployment
from tests.evaluation.serving.planning import busy


@pytest.fixture
def span():
    """Twenty requests."""
    return plan_span(busy(), requests=20)


def scores(goodput, share, ttft=0.5):
    """Return scores with a TPOT that is unknown."""
    known = {"goodput": goodput, "share": share, "ttft_p50_s": 0.1, "ttft_p99_s": ttft}
    return {**known, "tpot_p50_s": None, "tpot_p99_s": None}


def candidates(share=1.0, discarded=LISTED + 2):
    """Return two that were played, on the frontier the first alone, and some that were not."""
    first = ServingDeployment(1, 48, 1, 16, 60, 0)
    played = [
        DeploymentOutcome(first, 40.0, "played", scores(9.5, share)),
        DeploymentOutcome(
            ServingDeployment(2, 32, 0, 0, 60, 1), 48.0, "played", scores(8.5, share)
        ),
    ]
    bound = Bound(1.0, 0.5, 10.0, 20.0, "decode carries 20 tokens/s")
    return played + [
        DeploymentOutcome(
            ServingDeployment(3, 32, 0, 0, limit, 0), 64.0, "cannot hold", {}, "too slow", bound
        )
        for limit in range(1, discarded + 1)
    ]


def printed(span, found, all_rows=False):
    """Return the text of a plan."""
    console = Console(file=io.StringIO(), width=100)
    print_plan(found, span, 0.9, console, all_rows)
    return console.file.getvalue()


def test_the_frontier_the_best_and_the_first_left_out(span):
    """One line of the table, the first of those left out with their reason, and the best."""
    text = printed(span, candidates())
    assert "1 × 16 + 32" in text
    assert "8.5" not in text
    assert text.count("too slow") == LISTED
    assert "and 2 more" in text
    best = text.strip().splitlines()[-1]
    assert best.startswith("best: 1 × 32 prefill + 1 × 16 attention + 32 expert dies")
    assert "9.5 tokens/s per chip on 40 chips" in best


def test_all_rows(span):
    """All simulated deployments and all that were left out are listed."""
    text = printed(span, candidates(), all_rows=True)
    assert "8.5" in text
    assert text.count("too slow") == LISTED + 2


def test_no_deployment_keeps_the_slo(span):
    """The nearest one is named, and an unknown latency is called unknown."""
    text = printed(span, candidates(share=0.25))
    assert "no deployment keeps the SLO for 90% of the requests" in text
    assert "nearest: 1 × 32 prefill" in text
    assert "of TPOT unknown" in text
    result = as_dict(candidates(share=0.25), span, 0.9)
    assert result["best"] is None
    assert result["nearest"]["share"] == 0.25


def test_json_is_strict(span):
    """No number is infinite or missing its row; the best is the first row."""
    result = as_dict(candidates(), span, 0.9)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["best"] == result["candidates"][0]
    assert result["nearest"] is None
    assert [one["frontier"] for one in result["candidates"][:2]] == [True, False]
    assert result["candidates"][2]["most_share"] == 0.5


def test_csv_has_a_row_for_each(span):
    """Headings and rows; what is not known is empty."""
    rows = list(csv.DictReader(io.StringIO(as_csv(candidates(), span))))
    assert len(rows) == LISTED + 4
    assert rows[0]["verdict"] == "played"
    assert rows[0]["tpot_p99_s"] == ""
    assert rows[-1]["reason"] == "too slow"
