"""`podlab solve`: solve one problem and write the placement for an engine."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from evaluation.cli import options
from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from lb import Placement, Problem

Loads = Annotated[
    str,
    typer.Argument(
        help="Tokens [layers, experts] or [windows, layers, experts] in .npy, .npz, .csv or "
        ".json; or a trace, .parquet or bundled."
    ),
]
Out = Annotated[Path, typer.Option(help="File to write; its ending depends on the format.")]
Slots = Annotated[int | None, typer.Option(help="Slots per layer, over all ranks.")]
Redundant = Annotated[
    int | None, typer.Option(help="Slots beyond one per expert, instead of --slots.")
]
Format = Annotated[
    str,
    typer.Option(
        "--format", help="deepseek, json, npy, sglang, tensorrt-llm, vllm or vllm-ascend."
    ),
]
Param = Annotated[
    list[str] | None, typer.Option(help="Parameter of the solver, name=value; repeatable.")
]
Current = Annotated[Path | None, typer.Option(help="Placement file of the experts loaded now.")]
MaxMoves = Annotated[
    int | None, typer.Option(help="Most experts that ranks may receive, over all layers.")
]
WindowSteps = Annotated[
    int | None, typer.Option(help="Steps per window, for traces. [default: all]")
]
FirstLayer = Annotated[
    int, typer.Option(help="Number of the first MoE layer (sglang, tensorrt-llm).")
]
NumLayers = Annotated[
    int | None, typer.Option(help="Layers of the model, dense ones too (sglang).")
]


class Solution(NamedTuple):
    """A placement, how it was found, and how the tokens are split over its replicas."""

    placement: "Placement"
    solver: Any
    seconds: float
    share: Any


def solve(
    loads: Loads,
    ranks: Annotated[int, options.RANKS],
    out: Out,
    slots: Slots = None,
    redundant: Redundant = None,
    form: Format = "json",
    solver: options.Solver = "auto",
    param: Param = None,
    dispatcher: options.Dispatcher = "even",
    ranks_per_node: Annotated[int | None, typer.Option(help="Ranks per node.")] = None,
    groups: Annotated[int, typer.Option(help="Expert groups of the model.")] = 1,
    current: Current = None,
    max_moves: MaxMoves = None,
    window_steps: WindowSteps = None,
    step_tokens: options.StepTokens = None,
    first_layer: FirstLayer = 0,
    num_layers: NumLayers = None,
) -> None:
    """Place the experts of a model, and write the file that an engine reads."""
    import lb
    from evaluation.files import loads as load_files
    from evaluation.files.placement_file import write_placement
    from evaluation.files.placements.formats import format_named

    with usage_errors():
        placement_format = format_named(form, first_layer, num_layers)
        check_output(out, placement_format.endings, f"--format {form}, --out")
        load = load_files.read(loads, window_steps, step_tokens)
        problem = lb.Problem(
            load,
            ranks,
            _slots_per_rank(load, ranks, slots, redundant),
            ranks_per_node=ranks_per_node,
            expert_groups=groups,
            current=_current(current, ranks, first_layer, load),
            max_moves=max_moves,
            dispatcher=dispatcher,
        )
        solution = _solution(problem, solver, param or [], dispatcher)
        write_placement(solution.placement, out, placement_format, first_layer, num_layers)
    for line in [*_summary(problem, solver, solution), f"{out}: {form}"]:
        print(line, file=sys.stderr)


def _solution(problem: "Problem", spec: str, params: list[str], dispatcher: str) -> Solution:
    import lb

    dispatch = lb.configured(dispatcher, problem.ranks_per_node)
    solver = _solver(spec, params)
    started = time.perf_counter()
    placement = _align(_run(problem, solver, params), problem)
    seconds = time.perf_counter() - started
    return Solution(placement, solver, seconds, dispatch(placement, problem.planned_load))


def _current(path: Path | None, ranks: int, first_layer: int, load: Any) -> "Placement | None":
    """Return the current placement; of a file with all layers of the model, the MoE layers."""
    import numpy as np

    import lb
    from evaluation.files.placement_file import read_placement

    if path is None:
        return None
    placement = read_placement(path, ranks)
    layers = np.shape(load)[-2] if np.ndim(load) > 1 else placement.num_layers
    if not first_layer or placement.num_layers < first_layer + layers:
        return placement
    rows = placement.physical_to_logical[first_layer : first_layer + layers]
    return lb.Placement(rows, ranks)


def _slots_per_rank(load: Any, ranks: int, slots: int | None, redundant: int | None) -> int:
    import numpy as np

    from lb.checked import checked_integer

    checked_integer(ranks, "--ranks", at_least=1)
    if (slots is None) == (redundant is None):
        raise ValueError("give either --slots or --redundant")
    total = slots
    if redundant is not None:
        checked_integer(redundant, "--redundant", at_least=0)
        shape = np.shape(load)
        total = redundant + (shape[-1] if shape else 0)
    checked_integer(total, "slots", at_least=1)
    assert total is not None
    if total % ranks:
        raise ValueError(
            f"{total} slots over {ranks} ranks leaves {total % ranks} over; every rank has the "
            f"same number: give {total - total % ranks + ranks}"
        )
    return total // ranks


def _solver(spec: str, params: list[str]) -> Any:
    import lb
    from evaluation.candidates.candidate import Candidate

    values: dict[str, Any] = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(f"--param {text}: give name=value")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value  # a word without quotes
    candidate = Candidate(spec)
    if candidate.path is None:
        return lb.make(spec, **values)
    if values:
        raise ValueError(f"--param goes with a registered solver; set them in {candidate.path}")
    return candidate.make()


def _run(problem: "Problem", solver: Any, params: list[str]) -> "Placement":
    import lb

    try:
        return lb.solve(problem, solver)
    except TypeError as error:
        if not params:
            raise
        raise ValueError(f"--param {', '.join(params)}: {error}") from None


def _align(placement: "Placement", problem: "Problem") -> "Placement":
    """Return the placement in which experts that stay on a rank keep their slots."""
    from lb.engines.alignment import aligned

    if problem.current is None:
        return placement
    return aligned(placement, problem.current.physical_to_logical)


def _summary(problem: "Problem", spec: str, solution: Solution) -> list[str]:
    """Return lines on the problem, the balancedness, the replicas and the moves."""
    from lb.bounds import balancedness_bound
    from lb.solvers.auto import Auto

    placement, solver, seconds, share = solution
    by = f"{spec} ({solver.choice(problem)})" if isinstance(solver, Auto) else spec
    load = problem.planned_load
    balancedness = placement.balancedness(load, share)
    bound = balancedness_bound(load, problem.num_ranks, problem.slots_per_rank)
    worst = int(balancedness.argmin())
    replicas = placement.replica_count
    lines = [
        f"{problem} by {by} in {seconds:.3f} s, compiling included",
        f"balancedness  mean {balancedness.mean():.4f} of at most {bound.mean():.4f}; "
        f"worst {balancedness[worst]:.4f} of {bound[worst]:.4f}, layer {worst}",
        f"replicas      {replicas.min()} to {replicas.max()} of an expert, "
        f"{placement.duplicate_count.sum()} twice on a rank",
    ]
    if problem.current is not None:
        moves = int(placement.moves_from(problem.current).sum())
        before = problem.current.balancedness(load).mean()
        size = placement.physical_to_logical.size
        lines.append(f"moves         {moves} of {size} slots; balancedness was {before:.4f}")
    return lines
