"""Who competes in a suite: those that the user names, those of the suite, or all registered."""

from collections.abc import Sequence

from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.limits import Limits
from evaluation.kinds import named
from evaluation.kinds.suite import Suite


def entrants(
    suite: Suite, asked: Sequence[str] = (), limits: Limits | None = None
) -> list[Candidate]:
    """Return the candidates of a suite, with the suite's parameters.

    Parameters
    ----------
    suite
        Of any kind.
    asked
        Names and files. Names replace the suite's own candidates; files run beside them.
    limits
        What a solver from a file may use in a process of its own; ``None`` runs it in this one.

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

    chosen = [candidate(spec) for spec in dict.fromkeys(asked)]
    names = [one for one in chosen if one.path is None]
    files = [one for one in chosen if one.path is not None]
    for one in chosen:
        one.make()  # so that a wrong name or file is refused before anything runs
    usual = suite.solvers or candidate_class.registry.available()
    return (names or [candidate(name) for name in usual]) + files
