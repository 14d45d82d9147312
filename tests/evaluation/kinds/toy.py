"""A kind of suite in one file: bidders name numbers, and those below a ceiling count."""

from dataclasses import dataclass

import numpy as np

from evaluation.kinds.kind import Display, Kind
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import RatioOfSums
from evaluation.records import record_file


@dataclass(frozen=True)
class Ceiling:
    """A scenario: numbers above the ceiling count nothing."""

    id: str
    ceiling: float

    is_drawn = False

    def check(self):
        """Any ceiling can be run."""


@dataclass(frozen=True)
class Bidder:
    """A candidate that always names one number."""

    name: str
    number: float
    seed: int = 0

    def identity(self):
        """Return who this is."""
        return {"bidder": self.name, "number": self.number}


def _values(record):
    values = np.array(record["windows"]["counted"])
    return values, np.ones_like(values)


class BidKind(Kind):
    """Bidders, by the numbers that count."""

    name = "bids"
    title = "bidders, by the numbers that count"
    display = Display(
        noun="bidder",
        field="solver",
        variant="",
        columns=(
            Column("counted", "counted\n", "Mean number that counted", "{:.2f}"),
            Column("wasted", "wasted\nshare", "Share of numbers above the ceiling", "{:.0%}"),
        ),
    )
    measure = RatioOfSums("counted", _values)
    candidate = None
    option = ""

    def scenarios(self, where, table):
        """Return the scenario of a table."""
        return [Ceiling(**table)]

    def candidates(self, suite, scenario, chosen):
        """Return a cautious and a bold bidder."""
        return [Bidder("cautious", 2.0), Bidder("bold", 8.0)]

    def variant(self, task):
        """Bidders have no variant."""
        return ""

    def begin(self, task):
        """Return the record."""
        record = record_file.new_record(
            kind=self.name,
            suite=task.suite,
            scenario=self.describe(task),
            solver=task.candidate.name,
            seed=task.candidate.seed,
        )
        return record, None

    def judge(self, task, prepared, record):
        """Count the number of every window that is below the ceiling."""
        number, ceiling = task.candidate.number, task.scenario.ceiling
        counted = [number if number <= ceiling else 0.0] * 4
        scores = {"counted": counted[0], "wasted": float(number > ceiling)}
        return {"scores": scores, "windows": {"counted": counted}}


BIDS = BidKind()
