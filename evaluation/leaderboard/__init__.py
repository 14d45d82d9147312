"""From records to ranks: which records compare, confidence intervals, gaps and Pareto fronts."""

from evaluation.leaderboard.ranking import Ranking, rank
from evaluation.leaderboard.rows import Row
from evaluation.leaderboard.stages import rank_stages

__all__ = ["Ranking", "Row", "rank", "rank_stages"]
