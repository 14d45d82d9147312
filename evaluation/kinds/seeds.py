"""Which seeds make a difference to whom."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any


def one_for_each_seed(
    scenario: Any, candidates: Iterable[Any], seeds: tuple[int, ...]
) -> list[Any]:
    """Return each candidate once for each seed that makes a difference on the scenario.

    If the input is generated, every candidate meets every seed. On a recorded one, candidates that
    draw random numbers do, and the others run once.
    """
    chosen = list(candidates)
    varied = {one.spec for one in chosen if scenario.is_drawn or one.is_seeded}
    return [
        replace(one, seed=seed)
        for number, seed in enumerate(seeds)
        for one in chosen
        if number == 0 or one.spec in varied
    ]
