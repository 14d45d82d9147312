"""How far each row is from the best known, family by family of scenarios."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.leaderboard.bootstrap_blocks import Runs


def gaps(rows: Sequence[Runs], family_of: Mapping[str, str]) -> list[dict[str, float]]:
    """Return for each row the mean gap to the best known by family, a fraction of the best.

    The best known of a trace is the highest score that any of the rows has there, under whatever
    dispatcher; a row that is the best everywhere has gap 0.

    Parameters
    ----------
    rows
        One for each row.
    family_of
        Scenario to its family.
    """
    best: dict[object, float] = {}
    for runs in rows:
        for cells in runs.values():
            for place, part in cells.items():
                best[place] = max(best.get(place, -np.inf), part.value)
    found = []
    for runs in rows:
        by_family: dict[str, list[float]] = defaultdict(list)
        for scenario, cells in runs.items():
            family = family_of[scenario]
            by_family[family] += [1 - part.value / best[place] for place, part in cells.items()]
        found.append({family: float(np.mean(each)) for family, each in by_family.items()})
    return found
