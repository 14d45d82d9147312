"""Whether a candidate conforms, and how that is known."""

import lb
from evaluation.report.candidate_docs import candidate_docs
from evaluation.report.conformance import conformance
from tests.evaluation.report import made


def test_checked_when_asked():
    """A registered solver is checked now if that is asked for."""
    found = conformance(
        "contiguous", "solver", candidate_docs(lb.SOLVERS, "contiguous"), [], run=True
    )
    assert found.passed is True
    assert ("check_feasible", "passed") in found.outcomes


def test_a_stranger_is_never_run():
    """Who is not registered is not run, whatever is asked for."""
    found = conformance("mine", "solver", None, [made.solver("mine")], run=True)
    assert found.passed is None
    assert found.outcomes == ()


def test_not_checked_says_how():
    """Unless asked, it says how to find out."""
    known = candidate_docs(lb.SOLVERS, "greedy")
    found = conformance("greedy", "solver", known, [made.solver()], run=False)
    assert found.passed is None
    assert "podlab check greedy" in found.how


def test_records_may_carry_it():
    """The latest record that carries outcomes is believed, and dated."""
    old = made.solver(date="2026-01-01", conformance={"check_pure": "passed"})
    new = made.solver(date="2026-02-01", conformance={"check_pure": "failed: it keeps state"})
    found = conformance("mine", "solver", None, [new, old], run=False)
    assert found.passed is False
    assert found.outcomes == (("check_pure", "failed: it keeps state"),)
    assert "2026-02-01" in found.how
