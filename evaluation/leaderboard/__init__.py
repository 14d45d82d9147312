"""From records to ranks: what compares, how sure it is, how far from the best, at which price."""

from evaluation.leaderboard.ranking import Row, Standing, standing

__all__ = ["Row", "Standing", "standing"]
