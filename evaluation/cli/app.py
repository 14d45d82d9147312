"""The command line. Everything heavy is imported by the command that needs it."""

import sys
from typing import Annotated

import typer

from evaluation.cli import (
    bench,
    compete,
    explain,
    fabric,
    leaderboard,
    machine,
    plan,
    report,
    simulate,
    solve,
    trace,
    when,
)
from evaluation.cli.optional_value import MayStandAlone
from evaluation.cli.usage_error import refuse

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Compare MoE expert load balancers on recorded routing, by what happens next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("list")
def list_registered() -> None:
    """Show the names that there are: solvers, dispatchers, schedulers, suites, traces, …."""
    import hardware
    import lb
    import schedulers
    import traces
    from evaluation.kinds import suite as suites
    from evaluation.serving.scenario import scenario

    kinds = {
        "solvers": lb.available(),
        "dispatchers": lb.available_dispatchers(),
        "forecasters": lb.available_forecasters(),
        "job routers": schedulers.JOB.available(),
        "prefill routers": schedulers.PREFILL.available(),
        "decode routers": schedulers.DECODE.available(),
        "batch policies": schedulers.BATCH.available(),
        "rebalance policies": schedulers.REBALANCE.available(),
        "scenarios": scenario.available(),
        "suites": suites.available(),
        "traces": traces.available("routing"),
        "requests": traces.available("request"),
        **{kind: hardware.available(kind) for kind in hardware.KINDS},
    }
    for kind, names in kinds.items():
        print(f"{kind + ':':20}{', '.join(names)}")


@app.command()
def check(
    solver: Annotated[str, typer.Argument(help="A registered name, or path/to/file.py:name.")],
) -> None:
    """Run the conformance checks on a solver."""
    import lb.testing
    from evaluation.candidates.candidate import Candidate

    try:
        candidate = Candidate(solver).make()
    except (ValueError, OSError) as error:
        refuse(error)
    try:
        outcome = lb.testing.check_solver(candidate)
    except AssertionError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    for name, text in outcome.items():
        print(f"{name:32}{text}")


app.command(cls=MayStandAlone)(bench.bench)
app.command()(compete.compete)
app.command()(explain.explain)
app.command()(when.when)
app.command()(machine.validate)
app.command()(machine.calibrate)
app.command()(machine.timeline)
app.command()(plan.plan)
app.command()(report.report)
app.command()(simulate.simulate)
app.command()(solve.solve)
app.command()(leaderboard.submit)
app.add_typer(fabric.app, name="fabric")
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(trace.app, name="trace")
