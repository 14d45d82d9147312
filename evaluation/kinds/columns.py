"""Columns that several kinds share."""

from evaluation.leaderboard.column import Column

INTERVAL = Column(
    "interval",
    "95 %\ninterval",
    "Of the score that ranks, from repetitions with other seeds, or within one recording; ranks "
    "come from paired differences",
    "{:.4f}–{:.4f}",
    better=0,
)
GAP = Column(
    "gap",
    "gap to\nbest",
    "Mean distance to the best score known for each family of scenarios",
    "{:.1f} %",
    factor=100,
    better=-1,
    hide=3,
)
COST = Column(
    "cost_ratio",
    "cost\nratio",
    "Solve time ÷ the time of a sort of the same loads, timed with it; in no score",
    "{:,.0f} ×",
    better=-1,
    hide=1,
)
SOLVE = Column(
    "solve_s",
    "solve\nms",
    "Measured seconds of a call, median; depends on the machine",
    "{:.2f}",
    factor=1e3,
    better=-1,
)
