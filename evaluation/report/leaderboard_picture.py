"""The leaderboard of a suite as a picture: scores with their 95 % intervals."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.leaderboard import paired, standing
from evaluation.report import page, theme
from evaluation.report.panel import Record
from evaluation.report.plot import Plot

#: Kinds of suite that compare schedulers within each stage.
BY_STAGE = ("serving", "faults")
DIGITS = 6


@dataclass(frozen=True)
class ScoreInterval:
    """A score with its interval.

    Parameters
    ----------
    row
        Label of the row, the name of a candidate.
    variant
        What the candidate ran with: a dispatcher, or the stage it is ranked in; may be empty.
    score
        What ranks, more being better.
    interval
        Its 95 % interval (low, high); None where nothing was measured twice.
    """

    row: str
    variant: str
    score: float
    interval: tuple[float, float] | None


def write(
    records: Sequence[Record],
    path: Path,
    title: str,
    wanted: Collection[tuple[str, str]] | None = None,
) -> None:
    """Write the picture of a leaderboard; write nothing if no candidate is ranked.

    Parameters
    ----------
    records
        Of one suite.
    path, title
        As in :func:`evaluation.report.page.write`.
    wanted
        As in :func:`evaluation.leaderboard.standing`.

    Raises
    ------
    ValueError, ImportError
        As in :func:`evaluation.report.page.write`.
    """
    if not records:
        return
    if records[0].get("kind") in BY_STAGE:
        measure, scores = "goodput over that of the reference", _of_stages(records)
    else:
        measure, scores = of_suite(records, wanted)
    if scores:
        page.write(path, title, [plot(scores, measure)])


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
    """How a variant is drawn: its place within a row, its symbol and colour."""

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
            [score.row, *theme.short(end, DIGITS)] for score, end in zip(scores, ends, strict=True)
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>%{x:.4f}, 95 %: %{customdata[1]:.4f} to "
            "%{customdata[2]:.4f}"
        ),
    }


def of_suite(
    records: Sequence[Record], wanted: Collection[tuple[str, str]] | None = None
) -> tuple[str, list[ScoreInterval]]:
    """Return the measure and the scores of solvers or forecasters."""
    ranking = standing(list(records), wanted)
    scores = [
        ScoreInterval(row.name, row.dispatcher, row.score, row.interval) for row in ranking.rows
    ]
    return ranking.measure.replace("_", " "), scores


def _of_stages(records: Sequence[Record]) -> list[ScoreInterval]:
    """Return the scores of schedulers, stage by stage."""
    return [
        ScoreInterval(
            f"{row.name} · {stage}",
            stage,
            row.ratio,
            (row.low, row.high) if math.isfinite(row.high) else None,
        )
        for stage, ranking in paired.ranked(records).items()
        for row in ranking.rows
    ]
