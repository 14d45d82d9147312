"""What each kind of record is about: who competes, what they are ranked by, what is shown."""

from dataclasses import dataclass
from typing import Any

from evaluation.report.panel import Record


@dataclass(frozen=True)
class Column:
    """A score as a column.

    Parameters
    ----------
    key
        Name in a record's scores.
    heading, about
        Short and long.
    form, factor
        How it is written.
    better
        1 if more is better, -1 if less, 0 if neither.
    within_variant
        Whether it compares those of one variant alone.
    """

    key: str
    heading: str
    about: str
    form: str = "{:.3f}"
    factor: float = 1.0
    better: int = 1
    within_variant: bool = False

    def text(self, value: float) -> str:
        """Return a value as it is read."""
        return self.form.format(self.factor * value)


@dataclass(frozen=True)
class Kind:
    """One kind of record.

    Parameters
    ----------
    noun
        Who competes.
    field
        Where a record names them.
    variant
        What is compared beside them, "dispatcher"; empty if nothing is.
    columns
        Scores shown; the first ranks.
    """

    noun: str
    field: str
    variant: str
    columns: tuple[Column, ...]

    @property
    def primary(self) -> Column:
        """The score that ranks."""
        return self.columns[0]


COST = Column(
    "cost_ratio",
    "cost ×",
    "Solve time over that of a reference routine timed beside it in the same process",
    "{:,.1f}",
    better=-1,
)

SOLVER = Kind(
    "solver",
    "solver",
    "dispatcher",
    (
        Column(
            "efficiency",
            "efficiency",
            "Time under perfect balance over time taken, migration included",
            "{:.4f}",
        ),
        Column(
            "balancedness_next",
            "next",
            "Balancedness on the window after the one the solver saw: what a deployment gets",
        ),
        Column(
            "balancedness_fitted",
            "fitted",
            "Balancedness on the last window that the solver saw: what papers tend to show",
        ),
        Column("worst_layer_next", "worst layer", "The same as next, of the worst layer"),
        Column("gap_to_bound_next", "gap to bound", "Upper bound minus next", better=-1),
        Column("slots_changed", "slots changed", "Of all, a rebalance", "{:.0%}", better=-1),
        Column("moved_bytes", "GB moved", "Expert weights moved", "{:,.1f}", 1e-9, better=-1),
        Column("step_s", "step ms", "Mean time of a step", "{:.3f}", 1e3, better=-1),
        Column("tokens_per_s_per_chip", "tok/s/chip", "Tokens a second and chip", "{:,.0f}"),
        COST,
    ),
)

FIT = Kind(
    "solver",
    "solver",
    "dispatcher",
    (
        Column(
            "balancedness_fitted", "balancedness", "On the very matrix that was solved", "{:.4f}"
        ),
        Column("worst_layer_fitted", "worst layer", "Balancedness of the worst layer", "{:.4f}"),
        Column(
            "gap_to_bound", "gap to bound", "Upper bound minus balancedness", "{:.4f}", better=-1
        ),
        COST,
    ),
)

FORECAST = Kind(
    "forecaster",
    "forecaster",
    "",
    (
        Column(
            "balancedness_even",
            "balance, even",
            "Balancedness of a placement for the forecast on the window that came, tokens split "
            "evenly over replicas",
            "{:.4f}",
        ),
        Column("balancedness_optimal", "balance, optimal", "The same under the optimal split"),
        Column("error", "error", "Sum of |forecast − load| over load", "{:.3f}", better=-1),
        Column("hot_error", "error, hot", "The same of the hottest tenth", "{:.3f}", better=-1),
        Column("foresight_even", "foresight", "Balance had the forecast been right", better=0),
    ),
)

SERVING = Kind(
    "scheduler",
    "solver",
    "stage",
    (
        Column(
            "goodput_ratio",
            "goodput × reference",
            "Goodput over that of the stage's reference on the same traffic",
            within_variant=True,
        ),
        Column("goodput", "goodput", "Output tokens a second and chip within the SLO", "{:,.1f}"),
        Column("share", "keep SLO", "Share of requests that keep the SLO", "{:.1%}"),
        Column("ttft_p50_s", "TTFT p50 ms", "Time to first token, median", "{:,.0f}", 1e3, -1),
        Column("ttft_p99_s", "TTFT p99 ms", "The same, 99th percentile", "{:,.0f}", 1e3, -1),
        Column("tpot_p50_s", "TPOT p50 ms", "Time per output token, median", "{:.1f}", 1e3, -1),
        Column("tpot_p99_s", "TPOT p99 ms", "The same, 99th percentile", "{:.1f}", 1e3, -1),
        Column("dp_imbalance", "DP max/mean", "Load of the heaviest DP group", "{:.2f}", 1, -1),
        Column("barrier_idle", "barrier idle", "Time waited for the slowest", "{:.1%}", 1, -1),
    ),
)

FAULTS = Kind(
    "recovery",
    "solver",
    "stage",
    (
        *SERVING.columns[:5],
        Column("recomputed_tokens", "computed again", "Tokens computed twice", "{:,.0f}", 1, -1),
        Column("recovery_s", "to recover s", "Until requests wait no longer", "{:.1f}", 1, -1),
    ),
)

KINDS = {
    "solver": SOLVER,
    "fit": FIT,
    "forecast": FORECAST,
    "serving": SERVING,
    "faults": FAULTS,
}


def name_of(record: Record) -> str:
    """Return the name of a record's kind; records of schema 1 leave it out for solvers."""
    return str(record.get("kind", "solver"))


def kind_of(records: list[Record]) -> Kind:
    """Return the kind of records that are alike in it.

    Of a kind without an entry here all scores are shown by name, and the first one in the order
    of the record ranks, more being taken for better.
    """
    name = name_of(records[0])
    if name in KINDS:
        return _present(KINDS[name], records)
    keys = dict.fromkeys(key for one in records for key in one.get("scores", {}))
    columns = tuple(Column(key, key.replace("_", " "), key, "{:,.4g}") for key in keys)
    nothing = Column("score", "score", "No score is recorded")
    field = "solver" if "solver" in records[0] else "forecaster"
    return Kind("candidate", field, _variant(records[0]), columns or (nothing,))


def _variant(record: Record) -> str:
    return next((key for key in ("dispatcher", "stage") if key in record), "")


def _present(kind: Kind, records: list[Record]) -> Kind:
    """Return the kind without columns that no record fills, but for the first.

    Schedulers without a reference beside them are ranked by goodput itself.
    """
    first, *others = kind.columns
    if first.within_variant and not any(has(record, first.key) for record in records):
        first, *others = others
    kept = [one for one in others if any(has(record, one.key) for record in records)]
    return Kind(kind.noun, kind.field, kind.variant, (first, *kept))


def has(record: Record, key: str) -> bool:
    """Say whether a record has a score."""
    return score(record, key) is not None


def score(record: Record, key: str) -> float | None:
    """Return a score of a record, the cost ratio among them; None if it has not."""
    if key == COST.key:
        found: Any = record.get("cost", {}).get("ratio")
    else:
        found = record.get("scores", {}).get(key)
    return None if found is None else float(found)
