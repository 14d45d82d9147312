"""A user's own entry to the balancing competition, from a file."""

from dataclasses import dataclass
from typing import ClassVar

from evaluation.candidates.candidate import Candidate
from evaluation.candidates.competition_protocol import Rebalance
from lb.registry import Registry


@dataclass(frozen=True)
class EntryCandidate(Candidate):
    """A ``rebalance`` as it was asked for; parameters as of :class:`Candidate`.

    Only files hold entries; what is registered are solvers, which
    :class:`lb.engines.competition.Competitor` makes entries of.
    """

    registry: ClassVar[Registry] = Registry("entry", {}, "podlab.entries")

    def make(self) -> Rebalance:
        """Return the entry: what is named, or a new object where that is a class.

        Raises
        ------
        ValueError
            If it is no file with a name, the file is missing or fails, or has no such callable; or
            the class takes arguments, or its objects cannot be called.
        """
        if self.path is None:
            raise ValueError(f"entry {self.spec!r} is in no file; give path/to/file.py:NAME")
        try:
            made: Rebalance = super().make()
        except TypeError as error:
            raise ValueError(f"entry {self.spec!r} cannot be made: {error}") from error
        if not callable(made):
            raise ValueError(
                f"entry {self.spec!r} makes a {type(made).__name__} that cannot be called; "
                "give it __call__(hotness, n_device, n_red_expert)"
            )
        return made
