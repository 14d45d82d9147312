"""Candidates of a suite: those that the user names, those of the suite, or all registered."""

from collections.abc import Sequence

from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.limits import Limits
from evaluation.kinds import named
from evaluation.kinds.suite import Suite


def suite_candidates(
    suite: Suite, requested: Sequence[str] = (), limits: Limits | None = None
) -> list[Candidate]:
    """Return the candidates of a suite, with the suite's parameters.

    Parameters
    ----------
    suite
        A suite of any kind.
    requested
        Names and files. Names replace the suite's own candidates; files run in addition.
    limits
        Limits of a solver from a file, which runs in its own process; ``None`` runs it in this one.

    Raises
    ------
    ValueError
        If a name or file is wrong.
    """
    candidate_class = named(suite.kind).candidate
    if candidate_class is None:
        return []

    def candidate(spec: str) -> Candidate:
        params = sorted(suite.parameters.get(spec, {}).items())
        return candidate_class(spec, 0, tuple(params), limits)

    candidates = [candidate(spec) for spec in dict.fromkeys(requested)]
    by_name = [each for each in candidates if each.path is None]
    from_files = [each for each in candidates if each.path is not None]
    for each in candidates:
        each.make()  # so that a wrong name or file is refused before anything runs
    usual = suite.solvers or candidate_class.registry.available()
    return (by_name or [candidate(name) for name in usual]) + from_files
