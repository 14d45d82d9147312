"""The leaderboard of a suite as a picture: scores with their 95 % intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.kinds.suite_ranking import SuiteRanking
from evaluation.leaderboard import RankingRow
from evaluation.report import plot_page, theme
from evaluation.report.plot import Plot

#: Significant digits of a drawn score.
DIGITS = 6


@dataclass(frozen=True)
class ScoreInterval:
    """A score with its interval.

    Parameters
    ----------
    rank
        1 + the number of candidates that are significantly better.
    row
        Label of the row, the name of a candidate.
    variant
        Dispatcher that the candidate ran with, or stage that it is ranked in; may be empty.
    score
        Score that ranks; more is better.
    interval
        Its 95 % interval (low, high); None if a scenario has a single observation.
    """

    rank: int
    row: str
    variant: str
    score: float
    interval: tuple[float, float] | None


def write(ranking: SuiteRanking, path: Path, title: str) -> None:
    """Write the picture of a leaderboard; write nothing if no candidate is ranked.

    Parameters
    ----------
    ranking
        Ranking of one suite.
    path, title
        As in :func:`evaluation.report.plot_page.write`.

    Raises
    ------
    ValueError, ImportError
        As in :func:`evaluation.report.plot_page.write`.
    """
    scores = score_intervals(ranking)
    if scores:
        plot_page.write(path, title, [plot(scores, score_name(ranking))])


def score_name(ranking: SuiteRanking) -> str:
    """Return the name of the score that ranks, as an axis shows it."""
    name = ranking.measure.replace("_", " ")
    return f"{name} over that of the reference" if ranking.staged else name


def score_intervals(ranking: SuiteRanking) -> list[ScoreInterval]:
    """Return the scores, the best first in each stage."""
    return [
        _of_stage(row, stage) if ranking.staged else _of_dispatcher(row)
        for stage, part in ranking.rankings.items()
        for row in part.rows
    ]


def _of_dispatcher(row: RankingRow) -> ScoreInterval:
    variant = f"{row.dispatcher} dispatcher" if row.dispatcher else ""
    return ScoreInterval(row.rank, row.name, variant, row.score, row.interval)


def _of_stage(row: RankingRow, stage: str) -> ScoreInterval:
    name = f"{row.name} · {stage}" if stage else row.name
    return ScoreInterval(row.rank, name, stage, row.score, row.interval)


def plot(scores: Sequence[ScoreInterval], measure: str) -> Plot:
    """Return scores as points with error bars: a row for each candidate, a colour for each variant.

    Parameters
    ----------
    scores
        At least one, the best first.
    measure
        Name of the score.
    """
    variants = list(dict.fromkeys(score.variant for score in scores))
    rows = list(dict.fromkeys(score.row for score in scores))
    figure = theme.figure(
        [
            _points([score for score in scores if score.variant == variant], rows, lane)
            for variant, lane in zip(variants, _lanes(len(variants)), strict=True)
        ],
        height=theme.rows_height(len(rows)),
        xaxis={"title": {"text": measure}},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": rows,
            "range": [len(rows) - 0.4, -0.6],
            "zeroline": False,
        },
        showlegend=len(variants) > 1,
    )
    return Plot(f"{measure[0].upper()}{measure[1:]}, 95 % intervals", "", figure, wide=True)


class _Lane(NamedTuple):
    """How a variant is drawn: its offset within a row, its symbol and colour."""

    offset: float
    symbol: str
    colour: str


def _lanes(variants: int) -> list[_Lane]:
    """Return a lane for each variant; with two, intervals of one row do not cover each other."""
    offsets = (-0.17, 0.17) if variants == 2 else (0.0,) * variants
    return [
        _Lane(
            offset,
            theme.SYMBOLS[number % len(theme.SYMBOLS)],
            theme.COLOURS[number % len(theme.COLOURS)],
        )
        for number, offset in enumerate(offsets)
    ]


def _points(scores: Sequence[ScoreInterval], rows: list[str], lane: _Lane) -> dict[str, Any]:
    ends = [score.interval or (score.score, score.score) for score in scores]
    above = [high - score.score for score, (_, high) in zip(scores, ends, strict=True)]
    below = [score.score - low for score, (low, _) in zip(scores, ends, strict=True)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": scores[0].variant or "score",
        "x": theme.short((score.score for score in scores), DIGITS),
        "y": [rows.index(score.row) + lane.offset for score in scores],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": theme.short(above, DIGITS),
            "arrayminus": theme.short(below, DIGITS),
            "thickness": 2,
            "width": 3,
        },
        "marker": {"size": 9, "symbol": lane.symbol, "color": lane.colour},
        "customdata": [
            [score.row, score.rank, *theme.short(end, DIGITS)]
            for score, end in zip(scores, ends, strict=True)
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b>, rank %{customdata[1]}<br>%{x:.4f}, 95 %: "
            "%{customdata[2]:.4f} to %{customdata[3]:.4f}"
        ),
    }
