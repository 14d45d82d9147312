"""The ranks and slots that experts run on, and how often they may be rearranged."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExpertDeployment:
    """Ranks and expert slots of an EP group, and the rules of its rebalancing.

    Parameters
    ----------
    num_ranks, slots_per_rank
        Ranks of the EP group and expert slots of each rank, in one layer.
    ranks_per_node, expert_groups
        As in :class:`lb.Problem`.
    window_steps
        Engine steps in one window. The rebalance policy is asked after each window.
    history_windows
        Number of past windows that the solver sees.
    migration_bytes_per_s
        Rate at which one rank receives weights while the engine is paused.
    migration_pause_s
        Seconds that the engine stands still in a rebalance that moves an expert, beside the
        transfer: to collect loads, to plan, to rebuild graphs. They are those of a whole model.
        Where only some of its MoE layers are replayed, only these are priced, and as large a part
        of the pause is charged.
    dispatcher
        Name of the dispatcher in use. The solver sees it.
    forecaster
        Name of the forecaster whose forecast is given to solvers that make none themselves.
    objective
        "tokens" or "seconds". With "seconds" the solver also sees what an expert's tokens cost.
    max_moves
        Expert weights that ranks may receive in one rebalance, over all layers. A solver that
        honours the limit sees it. The answer of any other solver is cut down to it, see
        :func:`evaluation.replay.move_budget.apply_move_budget`.
    """

    num_ranks: int
    slots_per_rank: int
    window_steps: int
    migration_bytes_per_s: float
    ranks_per_node: int | None = None
    expert_groups: int = 1
    history_windows: int = 1
    dispatcher: str = "even"
    forecaster: str = "last"
    objective: str = "tokens"
    max_moves: int | None = None
    migration_pause_s: float = 0.0
