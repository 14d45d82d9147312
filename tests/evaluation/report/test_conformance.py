"""Whether a candidate conforms, and how that is known."""

import lb
from evaluation.report.candidate_docs import candidate_docs
from evaluation.report.conformance import conformance
from tests.evaluation.report import made


def test_checked_when_asked():
    """A registered solver is checked now if that is asked for."""
    result = conformance(
        "contiguous", "solver", candidate_docs(lb.SOLVERS, "contiguous"), [], run=True
    )
    assert result.passed is True
    assert ("check_feasible", "passed") in result.outcomes


def test_a_stranger_is_never_run():
    """Who is not registered is not run, whatever is asked for."""
    result = conformance("mine", "solver", None, [made.solver("mine")], run=True)
    assert result.passed is None
    assert result.outcomes == ()


def test_not_checked_says_how():
    """Unless asked, it says how to find out."""
    known = candidate_docs(lb.SOLVERS, "greedy")
    result = conformance("greedy", "solver", known, [made.solver()], run=False)
    assert result.passed is None
    assert "podlab check greedy" in result.how


def test_records_may_carry_it():
    """The latest record that carries outcomes is believed, and dated."""
    old = made.solver(date="2026-01-01", conformance={"check_pure": "passed"})
    new = made.solver(date="2026-02-01", conformance={"check_pure": "failed: it keeps state"})
    result = conformance("mine", "solver", None, [new, old], run=False)
    assert result.passed is False
    assert result.outcomes == (("check_pure", "failed: it keeps state"),)
    assert "2026-02-01" in result.how
