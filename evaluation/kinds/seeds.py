"""Seeds with which each candidate runs on a scenario."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any


def one_for_each_seed(
    scenario: Any, candidates: Iterable[Any], seeds: tuple[int, ...]
) -> list[Any]:
    """Return each candidate once for each seed that changes its score on the scenario.

    On a generated input, every candidate runs with every seed. On a recorded one, candidates that
    draw random numbers run with every seed, and the others run once.
    """
    candidates = list(candidates)
    varied = {each.spec for each in candidates if scenario.is_drawn or each.is_seeded}
    return [
        replace(each, seed=seed)
        for number, seed in enumerate(seeds)
        for each in candidates
        if number == 0 or each.spec in varied
    ]
