"""Rounds of `podlab bench --until-separated`: more repetitions until ranks separate."""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.kinds.kind import Kind
    from evaluation.kinds.suite import Suite
    from evaluation.leaderboard.ties import Tie

Records = list[dict[str, Any]]
#: Seconds for all rounds unless the user says otherwise.
BUDGET_S = 600.0
#: Ties that are listed after a round.
LISTED = 4


def run_rounds(
    suite: "Suite",
    kind: "Kind",
    run_round: Callable[["Suite", Records], tuple[Records, bool]],
    budget_s: float,
    jobs: int = 1,
) -> tuple[Records, bool]:
    """Run rounds until no interesting pair is tied or the budget ends.

    Parameters
    ----------
    suite
        With the seeds of the first round.
    kind
        Kind of the suite.
    run_round
        From a suite with the seeds of a round, and the records of earlier rounds, to the new
        records and whether the user interrupted them.
    budget_s
        Seconds for all rounds together. No round starts that is expected to take longer than what
        is left of it; the first one always runs.
    jobs
        Number of worker processes.

    Returns
    -------
    tuple
        Records of all whole rounds, and whether the user interrupted. The records of a round that
        was interrupted are in their folder, and the next call reuses them.
    """
    from evaluation.kinds.more_repetitions import next_seeds

    started = time.monotonic()
    records, interrupted = run_round(suite, [])
    ran, latest = suite.seeds, records
    seconds = (time.monotonic() - started) / len(ran)
    while not interrupted:
        wanted = kind.wanted(suite)
        ties = [tie for tie in kind.ranking(records, wanted).ties if tie.is_interesting]
        _print(_after_round(len(ran), ties))
        if not ties:
            break
        left_s = budget_s - (time.monotonic() - started)
        more = next_seeds(ran, ties, _seconds_per_seed(seconds, latest, jobs), left_s)
        if not more:
            _print(f"the budget of {budget_s:g} s ends here; --budget-s sets another one")
            break
        since = time.monotonic()
        latest, interrupted = run_round(replace(suite, seeds=more), records)
        seconds = (time.monotonic() - since) / len(more)
        if interrupted:
            _print("interrupted in a round; run the same command again to resume")
        else:
            records, ran = [*records, *latest], (*ran, *more)
    return records, interrupted


def _seconds_per_seed(measured: float, records: Records, jobs: int) -> float:
    """Return the expected time of a repetition.

    The time of a run is the median of its scenario: the first run compiles, and later ones do not.
    """
    by_scenario: dict[str, list[float]] = defaultdict(list)
    for record in records:
        by_scenario[record["scenario"]["id"]].append(record.get("wall", {}).get("total_s", 0.0))
    total = sum(len(times) * statistics.median(times) for times in by_scenario.values())
    expected = total / jobs / max(1, len({record["seed"] for record in records}))
    reused = any(record["reused"] for record in records)
    return expected if reused else min(expected, measured)


def _after_round(repetitions: int, ties: "Sequence[Tie]") -> str:
    head = f"after {repetitions} repetition{'s' * (repetitions > 1)}: "
    if not ties:
        return f"{head}every pair that differs by 0.5 % or more is separated"
    shown = [_text(tie) for tie in ties[:LISTED]]
    shown += [f"and {len(ties) - LISTED} more"] * (len(ties) > LISTED)
    return f"{head}{len(ties)} tied: {', '.join(shown)}"


def _text(tie: "Tie") -> str:
    names = " and ".join(" ".join(part for part in row if part) for row in tie.rows)
    needed = f", needs about {tie.repetitions:,}" if tie.repetitions else ""
    return f"{names} ({100 * tie.difference:.1f} %{needed})"


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
