"""A column of a leaderboard: defined once by a kind of suite, read by tables, reports and docs."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One number of every row: its key, its format and its meaning.

    Parameters
    ----------
    key
        Name among the values of a row: a score of the records, or "interval", "gap",
        "cost_ratio", "solve_s" and "scenarios", which the ranking adds.
    heading
        Short; a line break splits it in a terminal.
    about
        One sentence.
    form, factor
        Format of the value times the factor; of an interval, of its two ends.
    better
        1 if more is better, -1 if less, 0 if neither.
    hide
        Order in which a narrow window hides columns, the highest first; 0 is never hidden.
    scenarios
        When a terminal shows it: "any": always; "one": only for a single scenario, because a mean
        over several means nothing; "several": only for more than one.
    within_variant
        Whether only candidates of one variant compare by it.
    terminal
        Whether a terminal shows it; a report always does.
    """

    key: str
    heading: str
    about: str
    form: str = "{:.3f}"
    factor: float = 1.0
    better: int = 1
    hide: int = 0
    scenarios: str = "any"
    within_variant: bool = False
    terminal: bool = True

    @property
    def title(self) -> str:
        """The heading in one line."""
        return " ".join(self.heading.replace("-\n", "").split())

    def text(self, value: Any) -> str:
        """Return the text of a value: a dash where nothing was measured; a text stays as it is."""
        if value is None:
            return "–"
        if isinstance(value, str):
            return value
        ends = value if isinstance(value, tuple) else (value,)
        return self.form.format(*(self.factor * end for end in ends))
