"""The ranking of a suite of any kind, as JSON and as lines of a table."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.leaderboard import Ranking, RankingRow
from evaluation.leaderboard.stages import scenarios, stages_as_dict, unranked
from evaluation.leaderboard.table import Note, TableLine
from evaluation.leaderboard.ties import Tie, summary


@dataclass(frozen=True)
class SuiteRanking:
    """One ranking, or one for each stage.

    Parameters
    ----------
    suite, kind, measure
        Id and kind of the suite, and the score that ranks.
    rankings
        By stage; a single one of stage "" where all candidates are ranked together.
    staged
        Whether there are stages.
    """

    suite: str
    kind: str
    measure: str
    rankings: Mapping[str, Ranking]
    staged: bool

    @property
    def rows(self) -> list[RankingRow]:
        """Rows of all rankings."""
        return [row for ranking in self.rankings.values() for row in ranking.rows]

    @property
    def ties(self) -> list[Tie]:
        """Pairs of rows that are not separated, of all rankings."""
        return [tie for ranking in self.rankings.values() for tie in ranking.ties]

    def as_dict(self) -> dict[str, Any]:
        """Return the ranking for JSON; the keys are described in docs/leaderboard.md."""
        if not self.staged:
            return self.rankings[""].as_dict()
        head = {"suite": self.suite, "kind": self.kind, "measure": self.measure}
        return {**head, "stages": stages_as_dict(self.rankings)}

    def lines(self) -> Iterator[TableLine]:
        """Yield a line for each row, stage by stage."""
        for stage, ranking in self.rankings.items():
            for row in ranking.rows:
                values = {
                    **row.scores,
                    ranking.measure: row.score,
                    "interval": self._interval(row, ranking),
                    "gap": row.gap,
                    "cost_ratio": row.cost_ratio,
                    "solve_s": row.solve_s,
                }
                if self.staged:
                    values["scenarios"] = len(scenarios(ranking))
                yield TableLine(row.rank, row.name, row.dispatcher or stage, values)

    def notes(self) -> Iterator[Note]:
        """Yield what the ranks say, and the candidates that are not ranked, with the reason."""
        if len(self.rows) > 1:
            yield Note(summary(self.ties, min(row.repetitions for row in self.rows)), "dim")
        for stage, ranking in self.rankings.items():
            if not self.staged:
                yield from _notes(ranking)
                continue
            for name, reason in unranked(ranking):
                yield Note(f"not ranked: {stage} {name}: {reason}", "red")

    def _interval(self, row: RankingRow, ranking: Ranking) -> tuple[float, float] | str | None:
        """Return the interval, or a word that replaces it."""
        if self.staged and row.name == ranking.reference:
            return "reference"
        return "one seed" if self.staged and row.interval is None else row.interval


def _notes(ranking: Ranking) -> Iterator[Note]:
    """Yield failures, then what does not compare: once for all scenarios with one reason."""
    places: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for run in ranking.failures:
        places[run["status"], run["name"], run["reason"]].append(run["scenario"])
    for run in ranking.apart:
        places["not compared", run["name"], run["reason"]].append(run["scenario"])
    for (status, name, reason), ids in places.items():
        style = "yellow" if status == "not compared" else "red"
        yield Note(f"{status}: {name} on {', '.join(sorted(set(ids)))}: {reason}", style)
