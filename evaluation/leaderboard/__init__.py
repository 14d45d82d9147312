"""From records to ranks: which records compare, confidence intervals, gaps and Pareto fronts."""

from evaluation.leaderboard.ranking import Ranking, rank
from evaluation.leaderboard.rows import RankingRow
from evaluation.leaderboard.stages import rank_stages

__all__ = ["Ranking", "RankingRow", "rank", "rank_stages"]
