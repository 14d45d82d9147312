"""The command that solves one problem and writes the placement for an engine."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import refuse
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from lb import Placement, Problem


def solve(
    loads: Annotated[
        str,
        typer.Argument(
            help="Tokens [layers, experts] or [windows, layers, experts] in .npy, .npz, .csv or "
            ".json; or a trace, .parquet or bundled."
        ),
    ],
    ranks: Annotated[int, typer.Option(help="Ranks of the EP group.")],
    out: Annotated[Path, typer.Option(help="The file.")],
    slots: Annotated[int | None, typer.Option(help="Slots of a layer, over all ranks.")] = None,
    redundant: Annotated[
        int | None, typer.Option(help="Or the slots beyond one for each expert.")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format", help="deepseek, json, npy, sglang, tensorrt-llm, vllm or vllm-ascend."
        ),
    ] = "json",
    solver: Annotated[
        str, typer.Option(help="A registered name, or path/to/file.py:name.")
    ] = "auto",
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the solver, name=value; repeatable.")
    ] = None,
    dispatcher: Annotated[str, typer.Option(help="Who splits tokens over replicas.")] = "even",
    ranks_per_node: Annotated[int | None, typer.Option(help="Ranks of a node.")] = None,
    groups: Annotated[int, typer.Option(help="Expert groups of the model.")] = 1,
    current: Annotated[
        Path | None,
        typer.Option(help="Placement file of the experts that are loaded now."),
    ] = None,
    max_moves: Annotated[
        int | None, typer.Option(help="Experts that ranks may receive, over all layers.")
    ] = None,
    window_steps: Annotated[
        int | None, typer.Option(help="Steps of a trace in a window. [default: all]")
    ] = None,
    step_tokens: Annotated[
        int | None, typer.Option(help="Tokens in a step, where the trace does not say.")
    ] = None,
    first_layer: Annotated[
        int, typer.Option(help="Number of the first MoE layer (sglang, tensorrt-llm).")
    ] = 0,
    num_layers: Annotated[
        int | None, typer.Option(help="Layers of the model, dense ones too (sglang).")
    ] = None,
) -> None:
    """Place the experts of a model and write the file that an engine reads."""
    import lb
    from evaluation.files import loads as load_files
    from evaluation.files.placement_file import write_placement
    from evaluation.files.placements.formats import format_named
    from lb.solvers.auto import Auto

    try:
        chosen_format = format_named(form, first_layer, num_layers)
        check_output(out, chosen_format.endings, f"--format {form}, --out")
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
        split = lb.configured(dispatcher, ranks_per_node)
        chosen = _solver(solver, param or [])
        started = time.perf_counter()
        placement = _aligned(_solved(problem, chosen, param or []), problem)
        seconds = time.perf_counter() - started
        share = split(placement, problem.planned_load)
        write_placement(placement, out, chosen_format, first_layer, num_layers)
    except (ValueError, OSError, ImportError) as error:
        refuse(error)
    by = f"{solver} ({chosen.choice(problem)})" if isinstance(chosen, Auto) else solver
    print(f"{problem} by {by} in {seconds:.3f} s, compiling included", file=sys.stderr)
    for line in _summary(problem, placement, share):
        print(line, file=sys.stderr)
    print(f"{out}: {form}", file=sys.stderr)


def _current(path: Path | None, ranks: int, first_layer: int, load: Any) -> "Placement | None":
    """Return what is loaded; of a file with a row for each layer of the model, the MoE layers."""
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
            f"{total} slots over {ranks} ranks leaves {total % ranks} over; every rank owns the "
            f"same number: give {total - total % ranks + ranks}"
        )
    return total // ranks


def _solver(spec: str, params: list[str]) -> Any:
    import lb
    from evaluation.candidates.candidate import Candidate

    named: dict[str, Any] = {}
    for one in params:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise ValueError(f"--param {one}: give name=value")
        try:
            named[name] = json.loads(value)
        except ValueError:
            named[name] = value  # a word without quotes
    candidate = Candidate(spec)
    if candidate.path is None:
        return lb.make(spec, **named)
    if named:
        raise ValueError(f"--param goes with a registered solver; set them in {candidate.path}")
    return candidate.make()


def _solved(problem: "Problem", solver: Any, params: list[str]) -> "Placement":
    import lb

    try:
        return lb.solve(problem, solver)
    except TypeError as error:
        if not params:
            raise
        raise ValueError(f"--param {', '.join(params)}: {error}") from None


def _aligned(placement: "Placement", problem: "Problem") -> "Placement":
    """Leave experts that stay on a rank in the slots that they have."""
    from lb.engines.alignment import aligned

    if problem.current is None:
        return placement
    return aligned(placement, problem.current.physical_to_logical)


def _summary(problem: "Problem", placement: "Placement", share: Any) -> list[str]:
    from lb.bounds import balancedness_bound

    load = problem.planned_load
    reached = placement.balancedness(load, share)
    bound = balancedness_bound(load, problem.num_ranks, problem.slots_per_rank)
    worst = int(reached.argmin())
    replicas = placement.replica_count
    lines = [
        f"balancedness  mean {reached.mean():.4f} of at most {bound.mean():.4f}; "
        f"worst {reached[worst]:.4f} of {bound[worst]:.4f}, layer {worst}",
        f"replicas      {replicas.min()} to {replicas.max()} of an expert, "
        f"{placement.duplicate_count.sum()} twice on a rank",
    ]
    if problem.current is not None:
        moves = int(placement.moves_from(problem.current).sum())
        before = problem.current.balancedness(load).mean()
        size = placement.physical_to_logical.size
        lines.append(f"moves         {moves} of {size} slots; balancedness was {before:.4f}")
    return lines
