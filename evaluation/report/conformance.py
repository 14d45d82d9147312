"""Whether a candidate passes the conformance checks, and how that is known."""

from dataclasses import dataclass

from evaluation.report.docstrings import About
from evaluation.report.panel import Record


@dataclass(frozen=True)
class Conformance:
    """What is known of a candidate's checks.

    Parameters
    ----------
    how
        A sentence: from where it is known, or how to find out.
    outcomes
        Name of each check and what came of it; empty if it is not known.
    passed
        Whether all is well; None if it is not known.
    """

    how: str
    outcomes: tuple[tuple[str, str], ...] = ()
    passed: bool | None = None


def conformance(
    name: str, noun: str, about: About | None, records: list[Record], run: bool
) -> Conformance:
    """Return the conformance of a candidate.

    Parameters
    ----------
    name, noun
        Who, "solver" say.
    about
        None if no such name is registered: a stranger's code is never run by a report.
    records
        Of the candidate; one may carry ``conformance``, name of a check to outcome.
    run
        Whether registered solvers are checked now, which takes minutes for the slowest of them.
    """
    if run and noun == "solver" and about is not None:
        return _checked(name)
    for record in sorted(records, key=lambda one: str(one.get("date")), reverse=True):
        found = record.get("conformance")
        if isinstance(found, dict) and found:
            pairs = tuple((str(check), str(outcome)) for check, outcome in found.items())
            how = f"As recorded on {str(record.get('date'))[:10]}."
            return Conformance(how, pairs, not any(text.startswith("failed") for _, text in pairs))
    if noun == "solver" and about is not None:
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
        found = check_solver(name)
    except AssertionError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        pairs = [line.partition(" ") for line in lines]
        return Conformance(how, tuple((check, text) for check, _, text in pairs), False)
    return Conformance(how, tuple(found.items()), True)
