"""The error for an answer that is no valid placement, as opposed to a solver that failed."""


class Infeasible(ValueError):
    """A map that is no placement, or a placement that does not answer its problem."""
