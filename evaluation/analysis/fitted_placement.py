"""The placement that a solver makes from the windows before the one that is judged."""

import lb
from evaluation.replay.advice import advice_for, problem_of
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.judged_window import JudgedWindow
from evaluation.replay.move_budget import apply_move_budget
from evaluation.step.executor import StepExecutor


def fitted_placement(
    solver: lb.Solver,
    judged: JudgedWindow,
    deployment: ExpertDeployment,
    executor: StepExecutor,
    current: lb.Placement | None = None,
) -> lb.Placement:
    """Return the answer of a solver to the problem that a replay gives it before the window.

    Parameters
    ----------
    solver
        The solver.
    judged
        The window, and the history that the solver sees.
    deployment
        Ranks, slots, and rules of rebalancing.
    executor
        Prices what the problem says about moves and experts.
    current
        What is loaded; ``None``, or of other slots than the deployment's: nothing is. Moves then
        have neither price nor limit.

    Raises
    ------
    ValueError
        If the deployment has too few slots for the experts, or the answer is not valid.
    """
    history = judged.history
    advice = advice_for(solver, deployment, history, judged.last_steps, executor)
    slots = deployment.num_ranks * deployment.slots_per_rank
    if current is None or current.num_slots != slots:
        rest = {
            key: value for key, value in advice.items() if key not in ("move_price", "max_moves")
        }
        return lb.solve(problem_of(deployment, history, **rest), solver)
    placement = lb.solve(problem_of(deployment, history, current=current, **advice), solver)
    if deployment.max_moves is None:
        return placement
    return apply_move_budget(placement, current, history[-1], deployment.max_moves)
