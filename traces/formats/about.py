"""Facts about a trace that a foreign file may not contain."""

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What the user says about a file; what the file says itself goes first.

    Parameters
    ----------
    model, phase
        As in :class:`traces.RoutingTrace`.
    top_k
        Experts that a token chooses in one layer.
    experts
        Logical experts of one layer.
    """

    model: str = "unknown"
    phase: str = "unknown"
    top_k: int | None = None
    experts: int | None = None

    def needed_top_k(self) -> int:
        """Return ``top_k``.

        Raises
        ------
        ValueError
            If it is not given.
        """
        if self.top_k is None:
            raise ValueError("the file does not say top_k; give it (--top-k)")
        return self.top_k

    def check_experts(self, experts: int) -> None:
        """Raise ValueError unless a file has as many experts as was said, if it was."""
        if self.experts not in (None, experts):
            raise ValueError(
                f"the file has {experts} experts != {self.experts} as declared; give --experts "
                f"{experts}, or leave it out"
            )

    def needed_experts(self) -> int:
        """Return ``experts``.

        Raises
        ------
        ValueError
            If it is not given.
        """
        if self.experts is None:
            raise ValueError(
                "the file does not say how many experts there are; give it (--experts)"
            )
        return self.experts
