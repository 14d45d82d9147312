"""The error that tells an answer that cannot be loaded from a solver that failed."""


class Infeasible(ValueError):
    """A map that is no placement, or a placement that does not answer its problem."""
