"""From records to ranks: what compares, how sure it is, how far from the best, at which price."""

from evaluation.standing.board import Row, Standing, standing

__all__ = ["Row", "Standing", "standing"]
