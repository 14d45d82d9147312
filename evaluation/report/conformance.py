"""Whether a candidate passes the conformance checks, and the source of that knowledge."""

from dataclasses import dataclass

from evaluation.report.candidate_docs import CandidateDocs
from evaluation.report.panel import Record


@dataclass(frozen=True)
class Conformance:
    """Conformance checks of a candidate.

    Parameters
    ----------
    how
        A sentence: the source of the outcomes, or how to get them.
    outcomes
        Name and outcome of each check; empty if not known.
    passed
        Whether no check failed; None if not known.
    """

    how: str
    outcomes: tuple[tuple[str, str], ...] = ()
    passed: bool | None = None


def conformance(
    name: str, noun: str, docs: CandidateDocs | None, records: list[Record], run: bool
) -> Conformance:
    """Return the conformance of a candidate.

    Parameters
    ----------
    name, noun
        Name of the candidate, and what it is, "solver" say.
    docs
        None if no such name is registered: a report never runs third-party code.
    records
        Records of the candidate; a record may have ``conformance``, name of a check to outcome.
    run
        Whether registered solvers are checked now, which takes minutes for the slowest of them.
    """
    if run and noun == "solver" and docs is not None:
        return _checked(name)
    for record in sorted(records, key=lambda record: str(record.get("date")), reverse=True):
        outcomes = record.get("conformance")
        if isinstance(outcomes, dict) and outcomes:
            pairs = tuple((str(check), str(outcome)) for check, outcome in outcomes.items())
            how = f"As recorded on {str(record.get('date'))[:10]}."
            return Conformance(how, pairs, not any(text.startswith("failed") for _, text in pairs))
    if noun == "solver" and docs is not None:
        how = (
            "Not checked while this report was made: podlab report --check does, and podlab check "
            f"{name}. The project's own tests run all checks on every registered solver."
        )
    else:
        how = "Neither registered as a solver nor recorded as checked."
    return Conformance(how)


def _checked(name: str) -> Conformance:
    from lb.testing import check_solver

    how = "Checked while this report was made."
    try:
        outcomes = check_solver(name)
    except AssertionError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        pairs = [line.partition(" ") for line in lines]
        return Conformance(how, tuple((check, text) for check, _, text in pairs), False)
    return Conformance(how, tuple(outcomes.items()), True)
