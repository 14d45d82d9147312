"""Which repetitions a suite needs beyond its own seeds, so that ranks separate."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from evaluation.kinds import named
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import SuiteTask
from evaluation.leaderboard.ties import Tie, most_repetitions


def check_repeatable(suite: Suite) -> None:
    """Raise ValueError unless every new seed gives every scenario new traffic."""
    kind = named(suite.kind)
    recorded = [one.id for one in suite.scenarios if not kind.is_repeatable(one)]
    if recorded:
        raise ValueError(
            f"{suite.id} has scenarios of recorded traffic ({', '.join(dict.fromkeys(recorded))}), "
            "which another run only repeats; leave --until-separated out, or give a suite whose "
            "traffic is generated"
        )


def next_seeds(
    seeds: Sequence[int], ties: Iterable[Tie], seconds_per_seed: float, left_s: float
) -> tuple[int, ...]:
    """Return the seeds of the next round; none if the budget does not last for one.

    A round adds what the ties are expected to need, and at most doubles the repetitions, because
    the expectation from few repetitions is rough.

    Parameters
    ----------
    seeds
        Those that have run.
    ties
        Pairs that must separate.
    seconds_per_seed
        Expected time of one repetition.
    left_s
        What is left of the budget, in seconds.
    """
    ran = len(seeds)
    # Two more where nothing is known yet: a single repetition says nothing about its scatter.
    wanted = max(most_repetitions(ties) or ran + 2, ran + 1)
    affordable = math.floor(left_s / seconds_per_seed) if seconds_per_seed > 0 else wanted
    count = min(wanted - ran, max(ran, 2), max(affordable, 0))
    first = max(seeds) + 1
    return tuple(range(first, first + count)) if left_s > 0 else ()


def without_failed(
    tasks: Iterable[SuiteTask], records: Iterable[dict[str, Any]]
) -> list[SuiteTask]:
    """Return the tasks of those candidates that have not failed under the same variant."""
    failed = set()
    for record in records:
        if record["status"] != "ok":
            display = named(record["kind"]).display
            failed.add((record.get(display.variant, ""), record[display.field]))
    return [task for task in tasks if _candidate(task) not in failed]


def _candidate(task: SuiteTask) -> tuple[str, str]:
    kind = named(task.kind)
    variant = kind.variant(task) if kind.display.variant else ""
    return variant, task.candidate.name
