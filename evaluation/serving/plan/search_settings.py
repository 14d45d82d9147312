"""Settings of a search for deployments."""

from dataclasses import dataclass

#: Default share of the requests that have to keep the SLO: the attainment of DistServe's
#: experiments (arXiv:2401.09670).
SHARE = 0.9


@dataclass(frozen=True)
class SearchSettings:
    """What counts as a solution, and how the search saves simulations.

    Parameters
    ----------
    share
        A deployment holds if at least this share of the scored requests keeps the SLO.
    margin
        Relative slack of the screening: rates are taken this much higher, and a deployment whose
        bound is below the best goodput by no more is simulated too.
    screening
        Whether to screen; else every deployment is simulated.
    seed
        Random seed.
    jobs
        Number of worker processes; the answer does not depend on it.

    Raises
    ------
    ValueError
        Unless 0 <= share <= 1, 0 <= margin < infinity and jobs >= 1.
    """

    share: float = SHARE
    margin: float = 0.1
    screening: bool = True
    seed: int = 0
    jobs: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"--share {self.share:g} breaks 0 <= share <= 1; give a part of all")
        if not 0 <= self.margin < float("inf"):
            raise ValueError(f"--margin {self.margin:g} breaks 0 <= margin < infinity")
        if self.jobs < 1:
            raise ValueError(f"--jobs {self.jobs} < 1; give at least one")
