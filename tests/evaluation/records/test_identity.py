"""One list of fields tells the runs of records apart, for rankings and for stale records."""

import pytest

from evaluation.kinds import KINDS, named
from evaluation.records.identity import Identity, parameters_of, run_of

RECORD = {"scenario": {"id": "a"}, "solver": "greedy", "seed": 3}


def test_runs_differ_by_scenario_candidate_file_and_seed():
    """Each of these fields is part of the run; the score and the code are not."""
    for change in (
        {"scenario": {"id": "b"}},
        {"solver": "random"},
        {"solver_file": "ab"},
        {"forecaster": "last"},
        {"seed": 4},
    ):
        assert run_of(RECORD | change) != run_of(RECORD)
    assert run_of(RECORD | {"scores": {}, "source_hash": "0"}) == run_of(RECORD)


def test_the_seed_is_not_a_parameter():
    """It has a field of its own; a record without parameters has none at all."""
    assert parameters_of(RECORD | {"parameters": {"rounds": 2, "seed": 3}}) == {"rounds": 2}
    assert parameters_of(RECORD) is None


@pytest.mark.parametrize("fields", [{"name": "bidder"}, {"dispatcher": "x"}, {"trace_seed": "x"}])
def test_an_unknown_field_is_refused(fields):
    """A new record would replace records that differ in that field alone."""
    with pytest.raises(ValueError, match="is not one of"):
        Identity(**fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shows_the_candidate_that_its_ranking_compares(kind):
    """Tables and rankings read the name from the same field."""
    assert named(kind).display.field == named(kind).measure.identity.name
