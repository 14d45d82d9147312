"""Entries to the balancing competition from users' files."""

from dataclasses import dataclass
from typing import ClassVar

from evaluation.candidates.candidate import Candidate
from evaluation.candidates.competition_protocol import Rebalance
from lb.registry import Registry


@dataclass(frozen=True)
class EntryCandidate(Candidate):
    """A ``rebalance`` as the user named it; parameters as in :class:`Candidate`.

    Entries come from files only. A registered solver becomes an entry by
    :class:`lb.engines.competition.Competitor`.
    """

    registry: ClassVar[Registry] = Registry("entry", {}, "podlab.entries")

    def make(self) -> Rebalance:
        """Return the entry: the named callable, or an object of the named class.

        Raises
        ------
        ValueError
            If there is no file, or the file is missing, raises an error or has no such callable;
            if the class takes arguments, or its objects cannot be called.
        """
        if self.path is None:
            raise ValueError(f"entry {self.spec!r} is in no file; give path/to/file.py:NAME")
        try:
            entry: Rebalance = super().make()
        except TypeError as error:
            raise ValueError(f"entry {self.spec!r} cannot be made: {error}") from error
        if not callable(entry):
            raise ValueError(
                f"entry {self.spec!r} makes a {type(entry).__name__} that cannot be called; "
                "give it __call__(hotness, n_device, n_red_expert)"
            )
        return entry
