"""How like a recording a law's trace is."""

import io

import pytest
from rich.console import Console

import traces
from evaluation.analysis import goodness_of_fit
from traces import generators
from traces.generators import Law, Row

LAW = Law(2, 16, 2, step_tokens=2000, skew=0.6, update_steps=1)


def test_a_law_is_like_itself():
    """Every statistic is met, next-window balancedness among them."""
    rows = {
        row.name: row for row in goodness_of_fit.goodness_of_fit(generators.trace(LAW, 80), LAW, 8)
    }
    assert all(row.met for row in rows.values())
    assert 0.5 < rows["next window, eplb"].recorded <= 1
    assert 0.5 < rows["next window, greedy"].recorded <= 1


def test_another_law_is_not():
    """Three times the skew is seen."""
    rows = goodness_of_fit.goodness_of_fit(generators.trace(LAW, 80), LAW.replace(skew=1.8), 8)
    assert not all(row.met for row in rows)


def test_balancers_are_left_out_where_ranks_do_not_divide():
    """Five ranks have no contiguous share of sixteen experts."""
    names = {
        row.name
        for row in goodness_of_fit.goodness_of_fit(generators.trace(LAW, 16), LAW, 8, ranks=5)
    }
    assert not any(name.startswith("next window") for name in names)


@pytest.mark.parametrize("stored", [False, True])
def test_tokens_are_compared_as_tokens(tmp_path, monkeypatch, stored):
    """In memory or on disk, as long as they are few."""
    (tokens,) = generators.tokens(LAW.replace(step_tokens=100), 16, block_steps=16)
    if stored:
        traces.save(tokens, tmp_path / "t.parquet")
        tokens = traces.open(tmp_path / "t.parquet")
    law = LAW.replace(step_tokens=100)
    assert "co-activation" in {row.name for row in goodness_of_fit.goodness_of_fit(tokens, law, 8)}
    monkeypatch.setattr(goodness_of_fit, "MOST_TOKENS", 100)
    if stored:
        assert "co-activation" not in {
            row.name for row in goodness_of_fit.goodness_of_fit(tokens, law, 8)
        }


def test_the_report_says_what_is_not_met():
    """A row each, and how many."""
    out = io.StringIO()
    rows = [Row("one", 1.0, 1.01, 0.02), Row("two", 1.0, 1.5, 0.1)]
    goodness_of_fit.render(rows, Console(file=out, width=120))
    lines = out.getvalue().splitlines()
    assert lines[1].split() == ["one", "1.000", "1.010", "+0.010", "0.020", "met"]
    assert lines[2].split() == ["two", "1.000", "1.500", "+0.500", "0.100", "NOT", "MET"]
    assert lines[3] == "1 of 2 statistics of the recording are met"
