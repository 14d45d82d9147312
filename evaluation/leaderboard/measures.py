"""The measure of each kind of suite."""

from collections.abc import Callable, Iterable

import numpy as np

from evaluation.leaderboard.identity import Identity, Record
from evaluation.leaderboard.measure import Measure, Parts, RatioOfSums, RatioToReference


def _efficiency(record: Record) -> Parts:
    windows = record["windows"]
    taken = np.add(windows["step_s"], windows["migration_s"])
    return np.asarray(windows["ideal_s"], dtype=np.float64), taken


def _competition(record: Record) -> Parts:
    windows = record["windows"]
    taken = np.asarray(windows["taken_s"], dtype=np.float64)
    return 100 * np.asarray(windows["baseline_s"], dtype=np.float64), taken


def _mean_of(place: str, key: str) -> Callable[[Record], Parts]:
    def parts(record: Record) -> Parts:
        values = np.asarray(record[place][key], dtype=np.float64)
        return values, np.ones_like(values)

    return parts


#: Goodput beside the scheduler's reference. Without these scores a run cannot be compared.
GOODPUT = RatioToReference(
    "goodput_ratio",
    "goodput",
    needed={
        "goodput": "no request kept the SLO",
        "ttft_p99_s": "no request has a first token",
        "tpot_p99_s": "no request has a time per output token",
    },
)
#: Kind of a suite to what its rows are ranked by, more being better.
MEASURES: dict[str, Measure] = {
    "solver": RatioOfSums("efficiency", _efficiency),
    "fit": RatioOfSums(
        "balancedness_fitted", _mean_of("layers", "balancedness_fitted"), follow=False
    ),
    "forecast": RatioOfSums(
        "balancedness_even",
        _mean_of("windows", "balancedness_even"),
        identity=Identity("forecaster", ""),
    ),
    "competition": RatioOfSums("score", _competition),
    "serving": GOODPUT,
    "faults": GOODPUT,
}


def measure_of(records: Iterable[Record]) -> Measure:
    """Return the measure of records of one kind.

    Raises
    ------
    ValueError
        If records of several kinds are mixed, or their kind has no measure.
    """
    kinds = {str(record.get("kind", "solver")) for record in records} or {"solver"}
    if len(kinds) > 1 or not kinds <= set(MEASURES):
        raise ValueError(
            f"records of kind {', '.join(sorted(kinds))}: rank one kind at a time, of "
            f"{', '.join(MEASURES)}"
        )
    return MEASURES[kinds.pop()]
